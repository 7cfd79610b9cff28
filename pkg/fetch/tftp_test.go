// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"pack.ag/tftp"
)

// tftpServer serves the content under some names, and errors under others.
func tftpServer(t *testing.T) string {
	t.Helper()
	s, err := tftp.NewServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.ReadHandler(tftp.ReadHandlerFunc(func(r tftp.ReadRequest) {
		switch r.Name() {
		case "boot/vmlinuz":
			r.WriteSize(int64(len(content)))
			r.Write(content)
		case "boot/short":
			r.WriteSize(int64(len(content)) + 1)
			r.Write(content)
		case "secret":
			r.WriteError(tftp.ErrCodeAccessViolation, "no")
		default:
			r.WriteError(tftp.ErrCodeFileNotFound, "no such file")
		}
	}))
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(conn)
	t.Cleanup(func() { conn.Close() })
	return "tftp://" + conn.LocalAddr().String()
}

// deafServer answers every datagram with the same bytes, or with nothing.
func deafServer(t *testing.T, answer []byte) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			_, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			if answer != nil {
				conn.WriteToUDP(answer, from)
			}
		}
	}()
	return "tftp://" + conn.LocalAddr().String()
}

func TestFetchTFTP(t *testing.T) {
	good := tftpServer(t)
	// A request instead of an answer, without the NUL that ends its name.
	malformed := make([]byte, 516)
	for i := range malformed {
		malformed[i] = 'x'
	}
	malformed[0], malformed[1] = 0, 1
	const idle, short = 2 * time.Second, 200 * time.Millisecond
	tests := []struct {
		name, url string
		sum       Sum
		maxSize   int64
		idle      time.Duration
		want      []byte
		err       error
		text      string
	}{
		{name: "whole", url: good + "/boot/vmlinuz", sum: sum(content), idle: idle, want: content},
		{name: "not found", url: good + "/boot/other", idle: idle, err: ErrNotFound, text: "attempt 1 of 3"},
		{name: "refused", url: good + "/secret", idle: idle, err: ErrRefused},
		{name: "shorter than it says", url: good + "/boot/short", idle: idle, err: errBroken, text: "attempt 3 of 3"},
		{name: "too big", url: good + "/boot/vmlinuz", maxSize: 1000, idle: idle, err: ErrTooBig},
		{name: "wrong digest", url: good + "/boot/vmlinuz", sum: Sum{SHA256: make([]byte, 32)}, idle: idle, err: ErrSum},
		{name: "no answer", url: deafServer(t, nil) + "/x", idle: short, err: ErrTimeout, text: "attempt 3 of 3"},
		{name: "malformed answer", url: deafServer(t, malformed) + "/x", idle: idle, err: errDatagram, text: "attempt 3 of 3"},
		{name: "no option is answered", url: deafServer(t, []byte{0, 3, 0, 1, 'h', 'i'}) + "/x", idle: idle, want: []byte("hi")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := quick()
			f.MaxSize, f.Idle = tt.maxSize, tt.idle
			dir := t.TempDir()
			err := f.Fetch(t.Context(), tt.url, filepath.Join(dir, "kernel"), tt.sum)
			checkFetched(t, dir, err, tt.want, tt.err, tt.text)
		})
	}
}
