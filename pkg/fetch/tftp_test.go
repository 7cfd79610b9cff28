// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imaboot/imaboot/pkg/fetch/internal/tftp"
)

// all are options that a server acknowledges.
func all(window int) []string {
	return []string{"tsize", "", "blksize", "1428", "windowsize", fmt.Sprint(window)}
}

// like returns a handler that sends a file in a style.
func like(file []byte, how style) func(*tftpSession) {
	return func(s *tftpSession) { s.serve(file, how) }
}

// TestFetchTFTP: files that arrive whole, whatever the server does.
func TestFetchTFTP(t *testing.T) {
	// A client that looks for options in a block would find some here.
	options := append([]byte("A\x00blksize\x001024\x00z\x00"), content[:5000]...)
	// badOptions answers a request that has options with wrong ones.
	badOptions := func(words ...string) func(*tftpSession) {
		return func(s *tftpSession) {
			if len(s.options) == 0 {
				s.serve(content, style{})
			} else if s.oack(words...) {
				s.receive(time.Second)
			}
		}
	}
	// errorForOptions answers a request that has options with an error.
	errorForOptions := func(code int) func(*tftpSession) {
		return func(s *tftpSession) {
			if len(s.options) == 0 {
				s.serve(content, style{})
			} else {
				s.send(5, code, "no options\x00")
			}
		}
	}
	every := func(n int) func(int, int) bool {
		return func(block, nth int) bool { return (block+nth)%n == 0 }
	}
	tests := []struct {
		name   string
		handle func(*tftpSession)
		want   []byte
	}{
		{"no options", like(content, style{}), content},
		{"no options, and the file looks like them", like(options, style{}), options},
		{"no options, and the file is an odd number of NULs", like(make([]byte, 511), style{}), make([]byte, 511)},
		{"empty", like(nil, style{}), nil},
		{"whole blocks", like(content[:5120], style{}), content[:5120]},
		{"whole blocks with options", like(content[:14280], style{oack: all(4)}), content[:14280]},
		{"all options", like(content, style{oack: all(64)}), content},
		{"a block size", like(content, style{oack: []string{"blksize", "1024"}}), content},
		{"the smallest blocks", like(content[:5000], style{oack: []string{"blksize", "8", "windowsize", "16"}}), content[:5000]},
		{"options in capitals", like(content, style{oack: []string{"TSIZE", fmt.Sprint(len(content))}}), content},
		{"a size that is not known", like(content, style{oack: []string{"tsize", "0"}}), content},
		{"an empty answer to options", func(s *tftpSession) {
			if s.oack() {
				s.receive(time.Second)
				s.serve(content, style{})
			}
		}, content},

		{"everything twice", like(content, style{copies: 2}), content},
		{"everything three times in windows", like(content, style{oack: all(16), copies: 3}), content},
		{"lost blocks", like(content[:20000], style{lose: every(13)}), content[:20000]},
		{"lost blocks of windows", like(content, style{oack: all(16), lose: every(29)}), content},
		{"the first block of each window is lost once", like(content, style{oack: all(64), lose: func(block, nth int) bool { return nth == 1 && block%64 == 1 }}), content},
		{"the last block of each window is lost once", like(content, style{oack: all(64), lose: func(block, nth int) bool { return nth == 1 && block%64 == 0 }}), content},
		{"the first request is lost", func(s *tftpSession) {
			if s.number > 0 {
				s.serve(content, style{oack: all(8)})
			}
		}, content},
		{"no answer to a request with options", func(s *tftpSession) {
			if len(s.options) == 0 {
				s.serve(content, style{})
			}
		}, content},

		{"blocks of 0", badOptions("blksize", "0"), content},
		{"blocks of 7", badOptions("blksize", "7"), content},
		{"larger blocks than asked for", badOptions("blksize", "65464"), content},
		{"huge blocks", badOptions("blksize", "99999999999999999999999"), content},
		{"blocks of less than 0", badOptions("blksize", "-8"), content},
		{"windows of 0", badOptions("windowsize", "0"), content},
		{"larger windows than asked for", badOptions("windowsize", "65535"), content},
		{"a negative size", badOptions("tsize", "-5"), content},
		{"a size beyond all numbers", badOptions("tsize", "18446744073709551616"), content},
		{"a size that is no number", badOptions("tsize", "0x10"), content},
		{"an option that was not asked for", badOptions("timeout", "1"), content},
		{"an option twice", badOptions("blksize", "1024", "blksize", "512"), content},
		{"an option without a value", badOptions("blksize"), content},
		{"a long option", badOptions(strings.Repeat("x", 1400), "1"), content},
		{"an error for options", errorForOptions(8), content},
		{"an illegal request", errorForOptions(4), content},
		{"an error without a code", errorForOptions(0), content},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := &Fetcher{Limits: Limits{Attempts: 1}}
			err := f.Fetch(t.Context(), newTFTP(t, tt.handle)+"/boot/vmlinuz", filepath.Join(dir, "kernel"), Sum{})
			checkFetched(t, dir, err, tt.want, nil, "")
		})
	}
}

// TestLargeTFTP: more blocks than there are numbers.
func TestLargeTFTP(t *testing.T) {
	large := bytes.Repeat(content, 33<<20/len(content)+1)
	tests := []struct {
		name string
		how  style
	}{
		{"no options, everything twice, and 0 follows 65535", style{copies: 2}},
		{"no options, and 1 follows 65535", style{again: 1}},
		{"windows of blocks of 512", style{oack: []string{"windowsize", "64"}, lose: func(block, nth int) bool {
			return nth == 1 && (block == 65535 || block == 65536 || block == 65537)
		}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f := &Fetcher{Limits: Limits{Attempts: 1}}
			err := f.Fetch(t.Context(), newTFTP(t, like(large, tt.how))+"/vmlinuz", filepath.Join(dir, "kernel"), sum(large))
			checkFetched(t, dir, err, large, nil, "")
		})
	}
}

// TestTFTPErrors: what does not lead to a file.
func TestTFTPErrors(t *testing.T) {
	// stray sends each packet from a port that is not the transfer's.
	stray := func(s *tftpSession, conn *net.UDPConn, packets ...string) {
		for _, p := range packets {
			conn.WriteToUDPAddrPort([]byte(p), s.client)
		}
	}
	raw := func(packet string) func(*tftpSession) {
		return func(s *tftpSession) { s.conn.WriteToUDPAddrPort([]byte(packet), s.client) }
	}
	// inTheMiddle sends an error in place of block 10.
	inTheMiddle := func(code int) func(*tftpSession) {
		return func(s *tftpSession) {
			s.serve(content, style{before: func(block int) {
				if block == 10 {
					s.send(5, code, "disk on fire\x00")
				}
			}})
		}
	}
	const short = 500 * time.Millisecond
	tests := []struct {
		name    string
		handle  func(*tftpSession)
		sum     Sum
		maxSize int64
		idle    time.Duration
		err     error
		text    string
	}{
		{name: "not found", handle: func(s *tftpSession) { s.send(5, 1, "no\x00") }, err: ErrNotFound, text: "attempt 1 of 3"},
		{name: "not found for PXE's options", handle: func(s *tftpSession) { s.send(5, 0, "no such file\x00") }, err: errAny, text: `attempt 3 of 3: server's error 0: "no such file"`},
		{name: "refused", handle: func(s *tftpSession) { s.send(5, 2, "no\x00") }, err: ErrRefused, text: "attempt 1 of 3"},
		{name: "an error without an end", handle: func(s *tftpSession) { s.send(5, 2, "no") }, err: ErrRefused, text: `error 2: "no"`},
		{name: "a long error that clears the screen", handle: func(s *tftpSession) { s.send(5, 2, "\x1b[2J"+strings.Repeat("x", 1000)) }, err: ErrRefused, text: `error 2: "\x1b[2J` + strings.Repeat("x", 196) + `"`},
		{name: "an error in the middle", handle: inTheMiddle(3), err: errBroken, text: `after 4608 bytes: server's error 3: "disk on fire"`},
		{name: "not found in the middle", handle: inTheMiddle(1), err: errBroken, text: "attempt 3 of 3"},

		{name: "no answer", idle: short, err: ErrTimeout, text: "attempt 3 of 3"},
		{name: "a request", handle: raw("\x00\x01" + strings.Repeat("x", 514)), err: tftp.ErrMalformed, text: "attempt 3 of 3"},
		{name: "one byte", handle: raw("\x00"), err: tftp.ErrMalformed},
		{name: "nothing in a datagram", handle: raw(""), err: tftp.ErrMalformed},
		{name: "data without a number", handle: raw("\x00\x03\x00"), err: tftp.ErrMalformed},
		{name: "another block is the first", handle: func(s *tftpSession) { s.send(3, 2, "x") }, err: tftp.ErrMalformed},
		{name: "a larger block than agreed", handle: func(s *tftpSession) { s.send(3, 1, strings.Repeat("x", 513)) }, err: tftp.ErrMalformed, text: "513 bytes, at most 512"},
		{name: "a datagram of 60000", handle: func(s *tftpSession) { s.send(3, 1, strings.Repeat("x", 60000)) }, err: tftp.ErrMalformed},
		{name: "wrong options for no options", handle: func(s *tftpSession) { s.oack("blksize", "65535") }, err: tftp.ErrMalformed, text: "attempt 3 of 3"},
		{name: "nonsense in the middle", handle: func(s *tftpSession) {
			s.serve(content, style{before: func(block int) {
				if block == 5 {
					raw("\xff\xff\xff\xff")(s)
				}
			}})
		}, err: tftp.ErrMalformed, text: "after 2048 bytes"},
		{name: "the same block without end", handle: func(s *tftpSession) {
			for s.send(3, 1, strings.Repeat("x", 512)) {
				if op, _ := s.receive(5 * time.Millisecond); op == 5 {
					return
				}
			}
		}, idle: short, err: ErrTimeout},
		{name: "blocks that jump", handle: func(s *tftpSession) {
			for i := 1; s.send(3, i, strings.Repeat("x", 512)); i += 7 {
				if op, _ := s.receive(5 * time.Millisecond); op == 5 {
					return
				}
			}
		}, idle: short, err: ErrTimeout},
		{name: "answers from everywhere, never the same port", handle: func(s *tftpSession) {
			s.send(3, 1, strings.Repeat("x", 512))
			for range 100 {
				if conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err == nil {
					stray(s, conn, "\x00\x03\x00\x02x")
					conn.Close()
				}
			}
		}, idle: short, err: ErrTimeout},
		{name: "from another address", handle: func(s *tftpSession) {
			if conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}); err == nil {
				stray(s, conn, "\x00\x03\x00\x01x")
				conn.Close()
			}
		}, idle: short, err: ErrTimeout},

		{name: "too big by its size", handle: like(content, style{oack: all(8)}), maxSize: 1000, err: ErrTooBig, text: "attempt 1 of 3"},
		{name: "a size of half of all numbers", handle: func(s *tftpSession) { s.oack("tsize", "9223372036854775807") }, err: ErrTooBig, text: "attempt 1 of 3"},
		{name: "endless", handle: func(s *tftpSession) {
			for block := 1; s.send(3, block, strings.Repeat("x", 512)); block++ {
				if op, _ := s.receive(time.Second); op == 5 {
					return
				}
			}
		}, maxSize: 1 << 20, err: ErrTooBig},
		{name: "shorter than it says", handle: like(content, style{oack: []string{"tsize", fmt.Sprint(len(content) + 1)}}), err: errBroken, text: "attempt 3 of 3"},
		{name: "longer than it says", handle: like(content, style{oack: []string{"tsize", "1000"}}), err: errBroken, text: "more than the 1000 bytes"},
		{name: "cut short, and the size is known", handle: like(content[:3000], style{}), sum: sum(content), err: ErrSum},
		{name: "another size than expected", handle: like(content, style{oack: all(8)}), sum: Sum{Size: 5}, err: ErrSum},
		{name: "wrong digest", handle: like(content, style{}), sum: Sum{SHA256: make([]byte, 32)}, err: ErrSum, text: "attempt 2 of 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := quick()
			f.MaxSize, f.Idle = tt.maxSize, tt.idle
			dir := t.TempDir()
			err := f.Fetch(t.Context(), newTFTP(t, tt.handle)+"/vmlinuz", filepath.Join(dir, "kernel"), tt.sum)
			if errors.Is(tt.err, errAny) {
				if err == nil || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("error %v, want %q in it", err, tt.text)
				}
				return
			}
			checkFetched(t, dir, err, nil, tt.err, tt.text)
		})
	}
}

// errAny stands for an error that has no kind.
var errAny = errors.New("any")

// TestTFTPPorts: the transfer is that of the port that answered first. Another
// port of the server is told so, unless it sent an error, and its packets change
// nothing.
func TestTFTPPorts(t *testing.T) {
	other, failing := listenUDP(t), listenUDP(t)
	var told atomic.Int64
	url := newTFTP(t, func(s *tftpSession) {
		s.serve(content, style{before: func(block int) {
			if block < 2 || block > 20 {
				return
			}
			for _, p := range []string{fmt.Sprintf("\x00\x03\x00%cforged", block), "\xff", "\x00\x06"} {
				other.WriteToUDPAddrPort([]byte(p), s.client)
			}
			failing.WriteToUDPAddrPort([]byte("\x00\x05\x00\x01no\x00"), s.client)
		}})
	})
	ended := make(chan bool)
	go func() {
		defer close(ended)
		b := make([]byte, 600)
		for {
			n, err := other.Read(b)
			if err != nil {
				return
			}
			if !bytes.HasPrefix(b[:n], []byte("\x00\x05\x00\x05")) {
				t.Errorf("sent %q to the other port", b[:n])
			}
			told.Add(1)
		}
	}()
	dir := t.TempDir()
	err := (&Fetcher{}).Fetch(t.Context(), url+"/vmlinuz", filepath.Join(dir, "kernel"), sum(content))
	checkFetched(t, dir, err, content, nil, "")
	other.Close()
	<-ended
	if told.Load() == 0 {
		t.Error("the other port was told nothing")
	}
	b := make([]byte, 600)
	_ = failing.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := failing.Read(b); !isTimeout(err) {
		t.Errorf("an error was answered: %q, %v", b[:n], err)
	}
}

// TestTFTPAgain: a transfer that broke begins anew.
func TestTFTPAgain(t *testing.T) {
	dir := t.TempDir()
	url := newTFTP(t, func(s *tftpSession) {
		s.serve(content, style{before: func(block int) {
			if block == 100 && s.number == 0 {
				s.send(5, 0, "restarted\x00")
			}
		}})
	})
	f := &Fetcher{Limits: Limits{Attempts: 2, Backoff: time.Millisecond}}
	err := f.Fetch(t.Context(), url+"/vmlinuz", filepath.Join(dir, "kernel"), Sum{})
	checkFetched(t, dir, err, content, nil, "")
}

// TestTFTPNames: what a server is asked for.
func TestTFTPNames(t *testing.T) {
	names := make(chan string, 1)
	server := newTFTP(t, func(s *tftpSession) {
		names <- s.name
		s.send(5, 1, "no\x00")
	})
	for path, want := range map[string]string{
		"/boot/vmlinuz": "boot/vmlinuz", "//boot/vmlinuz": "/boot/vmlinuz", "/a%20b%3fc": "a b?c", "/%C3%BC": "ü",
		"/a?mac=1": "a?mac=1", "/a#b": "a#b",
	} {
		if _, err := (&Fetcher{}).Text(t.Context(), server+path); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: error %v, want ErrNotFound", path, err)
		}
		if got := <-names; got != want {
			t.Errorf("%s: asked for %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"", "/", "/a%00octet%00blksize%0065464", "/" + strings.Repeat("x", 500)} {
		if _, err := (&Fetcher{}).Text(t.Context(), server+path); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: error %v, want ErrRefused", path, err)
		}
	}
}

// TestTFTPContext: a transfer ends with its context, before and after the server
// has answered.
func TestTFTPContext(t *testing.T) {
	for _, answer := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		url := newTFTP(t, func(s *tftpSession) {
			if answer {
				s.send(3, 1, strings.Repeat("x", 512))
				s.receive(time.Minute)
			}
			cancel()
		})
		start := time.Now()
		if _, err := (&Fetcher{}).Text(ctx, url+"/x"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want Canceled", err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	}
}
