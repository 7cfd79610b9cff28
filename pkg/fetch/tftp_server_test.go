// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// A tftpSession is one transfer of a server of TFTP that a test scripts.
type tftpSession struct {
	conn   *net.UDPConn
	client netip.AddrPort
	number int // how many requests came before
	name   string
	// options are those of the request, by their names.
	options map[string]string
	acked   int // the last block that the client acknowledged, counted on beyond 65535
}

// newTFTP runs a server that answers each request in a goroutine, from a port of
// its own. A nil handle answers nothing. It returns the server's URL.
func newTFTP(t *testing.T, handle func(*tftpSession)) string {
	t.Helper()
	front := listenUDP(t)
	go func() {
		b := make([]byte, 2048)
		for number := 0; ; number++ {
			n, client, err := front.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			words := bytes.Split(b[2:n], []byte{0})
			if handle == nil || b[1] != 1 {
				continue
			}
			s := &tftpSession{conn: listenUDP(t), client: client, number: number, name: string(words[0]), options: map[string]string{}}
			for i := 2; i+1 < len(words); i += 2 {
				s.options[string(words[i])] = string(words[i+1])
			}
			go handle(s)
		}
	}()
	return "tftp://" + front.LocalAddr().String()
}

func listenUDP(t *testing.T) *net.UDPConn {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (s *tftpSession) send(op byte, number int, rest string) bool {
	_, err := s.conn.WriteToUDPAddrPort(append([]byte{0, op, byte(number >> 8), byte(number)}, rest...), s.client)
	return err == nil
}

// oack acknowledges options: names and values in turn.
func (s *tftpSession) oack(words ...string) bool {
	packet := []byte{0, 6}
	for _, w := range words {
		packet = append(append(packet, w...), 0)
	}
	_, err := s.conn.WriteToUDPAddrPort(packet, s.client)
	return err == nil
}

// receive returns the operation and the number of the next packet, 0 if none
// comes for a while, and 255 at the end of the test.
func (s *tftpSession) receive(patience time.Duration) (op byte, number int) {
	b := make([]byte, 600)
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := s.conn.Read(b)
	switch {
	case isTimeout(err):
		return 0, 0
	case err != nil || n < 4:
		return 255, 0
	}
	return b[1], int(binary.BigEndian.Uint16(b[2:]))
}

// A style is how a server sends a file.
type style struct {
	oack   []string // the options that are acknowledged; a size of "" is the file's
	again  int      // the number that follows block 65535
	copies int      // how often each packet is sent
	// lose says whether a block that is sent for the nth time gets lost.
	lose func(block, nth int) bool
	// before is called before each block.
	before func(block int)
}

// serve sends a file as a server should, in windows of blocks, but for its
// style.
func (s *tftpSession) serve(file []byte, how style) {
	size, window := 512, 1
	words := append([]string(nil), how.oack...)
	for i := 0; i+1 < len(words); i += 2 {
		switch words[i] {
		case "blksize":
			size, _ = strconv.Atoi(words[i+1])
		case "windowsize":
			window, _ = strconv.Atoi(words[i+1])
		case "tsize":
			if words[i+1] == "" {
				words[i+1] = strconv.Itoa(len(file))
			}
		}
	}
	if len(words) > 0 && !s.acknowledged(0, func() bool { return s.oack(words...) }, how.again) {
		return
	}
	sent := map[int]int{}
	last := len(file)/size + 1
	for s.acked < last {
		first := s.acked + 1
		end := min(s.acked+window, last)
		ok := s.acknowledged(end, func() bool {
			for block := first; block <= end; block++ {
				if how.before != nil {
					how.before(block)
				}
				if sent[block]++; how.lose != nil && how.lose(block, sent[block]) {
					continue
				}
				part := file[(block-1)*size : min(block*size, len(file))]
				for range max(how.copies, 1) {
					if !s.send(3, wire(block, how.again), string(part)) {
						return false
					}
				}
			}
			return true
		}, how.again)
		if !ok {
			return
		}
	}
}

// wire is the number of a block in a packet.
func wire(block, again int) int {
	if again == 0 || block <= 65535 {
		return block & 0xffff
	}
	return (block-1)%65535 + 1
}

// acknowledged sends until a block that was sent is acknowledged. An error of
// the client ends the transfer.
func (s *tftpSession) acknowledged(end int, send func() bool, again int) bool {
	for range 20 {
		if !send() {
			return false
		}
		for {
			op, number := s.receive(500 * time.Millisecond)
			if op == 0 {
				break
			}
			if op != 4 {
				return false
			}
			for block := end; block > s.acked || block == 0 && end == 0; block-- {
				if wire(block, again) == number {
					s.acked = block
					return true
				}
			}
		}
	}
	return false
}
