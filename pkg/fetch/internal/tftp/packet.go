// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package tftp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The operations of RFC 1350 and RFC 2347. All numbers in packets are
// big-endian.
const (
	opRead  = 1
	opData  = 3
	opAck   = 4
	opError = 5
	opOack  = 6
)

// Error codes of RFC 1350 and RFC 2347.
const (
	CodeUndefined  = 0
	CodeNotFound   = 1
	CodeIllegal    = 4
	CodeUnknownTID = 5
	CodeOptions    = 8
)

const (
	// plainBlock is the size of a block without options.
	plainBlock = 512
	// wantedBlock fits into a frame of Ethernet behind the headers of IPv6
	// and UDP.
	wantedBlock  = 1428
	wantedWindow = 64
	// maxRequest is the most that RFC 2347 allows for a request, in bytes.
	maxRequest = 512
)

// ErrMalformed means that the server does not keep to the protocol.
var ErrMalformed = errors.New("malformed datagram")

// An Error is what a server sends in place of a file.
type Error struct {
	Code    uint16
	Message string
}

func (e *Error) Error() string {
	return fmt.Sprintf("server's error %d: %q", e.Code, e.Message)
}

// request asks for a file in binary. options says whether to ask for options
// too.
func request(name string, options bool) ([]byte, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return nil, ErrName
	}
	words := []string{name, "octet"}
	if options {
		words = append(words, "tsize", "0",
			"blksize", strconv.Itoa(wantedBlock), "windowsize", strconv.Itoa(wantedWindow))
	}
	packet := []byte{0, opRead}
	for _, w := range words {
		packet = append(append(packet, w...), 0)
	}
	if len(packet) > maxRequest {
		return nil, ErrName
	}
	return packet, nil
}

func ack(block uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte{0, opAck}, block)
}

func errorPacket(code uint16, message string) []byte {
	packet := binary.BigEndian.AppendUint16([]byte{0, opError}, code)
	return append(append(packet, message...), 0)
}

// A packet is what a server sent: data, options or an error.
type packet struct {
	op    uint16
	block uint16
	data  []byte // part of the datagram
	err   *Error
}

// parse reads a datagram of a server. Options stay in data.
func parse(b []byte) (packet, error) {
	if len(b) < 2 {
		return packet{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	p := packet{op: binary.BigEndian.Uint16(b)}
	switch {
	case p.op == opOack:
		p.data = b[2:]
	case p.op == opData && len(b) >= 4:
		p.block, p.data = binary.BigEndian.Uint16(b[2:]), b[4:]
	case p.op == opError && len(b) >= 4:
		const most = 200 // bytes of a message
		text, _, _ := bytes.Cut(b[4:], []byte{0})
		p.err = &Error{binary.BigEndian.Uint16(b[2:]), string(text[:min(len(text), most)])}
	default:
		return packet{}, fmt.Errorf("%w: operation %d with %d bytes", ErrMalformed, p.op, len(b))
	}
	return p, nil
}

// options are what a server has agreed to. size is in bytes, -1 if unknown.
type options struct {
	block, window int
	size          int64
}

// plain are the options of RFC 1350.
var plain = options{block: plainBlock, window: 1, size: -1}

// parseOptions reads the words of an OACK. A server may answer only options that
// were asked for, with values no larger than those (RFC 2347, 2348 and 7440).
// The names' case does not matter.
func parseOptions(b []byte) (options, error) {
	o := plain
	bad := func(format string, args ...any) (options, error) {
		return plain, fmt.Errorf("%w: options: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	words := bytes.Split(b, []byte{0})
	if len(words[len(words)-1]) > 0 || len(words)%2 == 0 {
		return bad("%d words, or no end", len(words))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(words); i += 2 {
		name := strings.ToLower(string(words[i]))
		n, err := strconv.ParseUint(string(words[i+1]), 10, 63)
		if err != nil || seen[name] {
			return bad("%.40q=%.40q", name, words[i+1])
		}
		seen[name] = true
		switch {
		case name == "blksize" && n >= 8 && n <= wantedBlock:
			o.block = int(n)
		case name == "windowsize" && n >= 1 && n <= wantedWindow:
			o.window = int(n)
		case name == "tsize":
			// Some servers send back the 0 without knowing the size.
			if n > 0 {
				o.size = int64(n)
			}
		default:
			return bad("%.40q=%d", name, n)
		}
	}
	return o, nil
}
