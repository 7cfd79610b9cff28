// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package tftp reads files from TFTP servers (RFC 1350), with a larger block
// size, several blocks at a time and the file's size (RFC 2347 to 2349, 7440)
// where the server knows these options.
//
// It is written here because u-root's client (pack.ag/tftp) reads a server's
// first block as options, so that it panics or cuts a file short if the server
// knows none, and tells the kind of an error only by its text. The whole of the
// receiving side is small: this package has no goroutines and no server, takes a
// context, and bounds what it believes.
package tftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"
)

// ErrName means that a server cannot be asked for a name: it is empty, has a
// NUL, or makes a request of more than 512 bytes.
var ErrName = errors.New("no name that a TFTP server can be asked for")

const (
	// firstPatience is how long to wait before the last packet is sent
	// again. It doubles up to maxPatience until the file grows.
	firstPatience = time.Second
	maxPatience   = 8 * time.Second
	// triesWithOptions is how often to send a request with options. Some
	// servers do not answer it.
	triesWithOptions = 2
)

// A Reader reads one file from a server.
type Reader struct {
	// Size is what the server says that the file has, in bytes; -1 if it does
	// not say.
	Size int64

	ctx     context.Context
	conn    *net.UDPConn
	server  netip.AddrPort // its port is the one of the file, once the server has answered
	unbind  func() bool
	options options
	sent    []byte // the last packet, to be sent again
	buffer  []byte // holds a datagram
	patient time.Duration

	rest   []byte // of the last block
	last   uint16 // the last block's number
	since  int    // blocks since the last acknowledgement
	gap    bool   // blocks were lost, and the server was told
	ended  bool   // the last block was short
	failed error
}

// Open asks a server (HOST:PORT) for a file. The Reader belongs to the context:
// it repeats what gets lost until the context ends, and no longer works then. It
// must be closed.
//
// The server's answers must come from the address that was asked, from any port.
// If the server refuses the options, or its answer to them is wrong, Open asks
// again without them. An *Error is the server's.
func Open(ctx context.Context, address, name string) (*Reader, error) {
	r, err := open(ctx, address, name, true)
	if optionsFailed(err) {
		return open(ctx, address, name, false)
	}
	return r, err
}

// errOptions means that a server's answer to the options is wrong.
var errOptions = errors.New("wrong options")

// optionsFailed reports whether a server may have the file without options.
// Servers that do not know options should pass over them, but some call them an
// illegal request, or an error without a code of its own.
func optionsFailed(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code == CodeOptions || e.Code == CodeIllegal || e.Code == CodeUndefined
	}
	return errors.Is(err, errOptions)
}

func open(ctx context.Context, address, name string, options bool) (*Reader, error) {
	first, err := request(name, options)
	if err != nil {
		return nil, err
	}
	without, err := request(name, false)
	if err != nil {
		return nil, err
	}
	conn, server, err := listen(ctx, address)
	if err != nil {
		return nil, err
	}
	r := &Reader{
		Size: -1, ctx: ctx, conn: conn, server: server, options: plain,
		buffer: make([]byte, 4+wantedBlock+1),
	}
	r.unbind = context.AfterFunc(ctx, func() { conn.Close() })
	if err := r.start(first, without); err != nil {
		r.failed = err
		r.Close()
		return nil, err
	}
	return r, nil
}

// listen returns a socket from which the server can be reached, and the server's
// address.
func listen(ctx context.Context, address string) (*net.UDPConn, netip.AddrPort, error) {
	// Connecting finds the address and the route. The socket that is used
	// must not be connected: the server answers from another port.
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", address)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	defer c.Close()
	server := c.RemoteAddr().(*net.UDPAddr).AddrPort()
	local := c.LocalAddr().(*net.UDPAddr)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: local.IP, Zone: local.Zone})
	return conn, unmap(server), err
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// start sends the request until the server answers.
func (r *Reader) start(first, without []byte) error {
	if err := r.send(first); err != nil {
		return err
	}
	asked := r.server
	for try := 1; ; {
		p, from, err := r.receive(func(a netip.AddrPort) bool { return a.Addr() == asked.Addr() })
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if try++; try > triesWithOptions {
				r.sent = without
			}
			err = r.again()
			if err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		r.server = from
		return r.answered(p)
	}
}

// answered takes the first packet of a server.
func (r *Reader) answered(p packet) error {
	switch {
	case p.op == opData && p.block == 1:
		return r.take(p)
	case p.op == opOack:
		o, err := parseOptions(p.data)
		if err != nil {
			r.tell(CodeOptions, "wrong options")
			return fmt.Errorf("%w: %w", errOptions, err)
		}
		r.options, r.Size = o, o.size
		return r.send(ack(0))
	}
	r.tell(CodeIllegal, "unexpected block")
	return fmt.Errorf("%w: block %d is the first", ErrMalformed, p.block)
}

// Read returns the next bytes of the file. io.EOF means that the file is
// complete as far as the protocol can tell.
func (r *Reader) Read(b []byte) (int, error) {
	for len(r.rest) == 0 && !r.ended && r.failed == nil {
		r.failed = r.next()
	}
	switch {
	case len(r.rest) > 0:
		n := copy(b, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	case r.failed != nil:
		return 0, r.failed
	}
	return 0, io.EOF
}

// next takes one packet, or sends one again if none comes.
func (r *Reader) next() error {
	p, _, err := r.receive(func(a netip.AddrPort) bool { return a == r.server })
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.since = 0
		r.sent = ack(r.last)
		return r.again()
	case err != nil:
		return err
	case p.op == opData:
		return r.take(p)
	case r.last == 0 && r.since == 0:
		// The server did not get the acknowledgement of its options.
		return r.send(ack(0))
	}
	return nil // options that come late
}

// take accepts the block that comes next. Others were lost or sent twice.
func (r *Reader) take(p packet) error {
	if len(p.data) > r.options.block {
		r.tell(CodeIllegal, "block is too big")
		return fmt.Errorf("%w: block %d has %d bytes, at most %d", ErrMalformed, p.block, len(p.data), r.options.block)
	}
	ahead := p.block - r.last // modulo 65536
	// RFC 1350 does not say which number follows 65535. Most servers send 0,
	// and some 1, which nothing else can be if blocks come one by one.
	if r.last == 65535 && p.block == 1 && r.options.window == 1 {
		ahead = 1
	}
	switch {
	case ahead == 1:
		return r.accept(p)
	case ahead == 0 && r.since == 0 && !r.gap:
		// The server did not get the acknowledgement.
		return r.send(ack(r.last))
	case ahead > 1 && int(ahead) <= r.options.window && !r.gap:
		// Each further acknowledgement would have the server begin anew.
		r.gap, r.since = true, 0
		return r.send(ack(r.last))
	}
	return nil
}

func (r *Reader) accept(p packet) error {
	r.last, r.rest, r.gap = p.block, p.data, false
	r.ended = len(p.data) < r.options.block
	r.since++
	if r.ended || r.since >= r.options.window {
		r.since = 0
		return r.send(ack(r.last))
	}
	r.sent = ack(r.last)
	return r.wait(firstPatience)
}

// receive returns the next packet that comes from a source that is accepted.
func (r *Reader) receive(accepted func(netip.AddrPort) bool) (packet, netip.AddrPort, error) {
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(r.buffer)
		if err != nil {
			return packet{}, from, r.reason(err)
		}
		if from = unmap(from); !accepted(from) {
			r.reject(r.buffer[:n], from)
			continue
		}
		p, err := parse(r.buffer[:n])
		if err == nil && p.err != nil {
			err = p.err
		}
		if errors.Is(err, ErrMalformed) {
			r.server = from
			r.tell(CodeIllegal, "malformed")
		}
		return p, from, err
	}
}

// reject answers a datagram that came from a port which does not send the file.
// A server that got a request twice may answer from two ports; the error ends the
// second transfer. Other hosts get no answer. Errors are not answered either: two
// programs could exchange them forever.
func (r *Reader) reject(datagram []byte, from netip.AddrPort) {
	p, _ := parse(datagram)
	if p.op != opError && from.Addr() == r.server.Addr() {
		r.write(errorPacket(CodeUnknownTID, "unknown transfer"), from)
	}
}

// send sends a packet that may have to be sent again.
func (r *Reader) send(packet []byte) error {
	r.sent = packet
	if err := r.write(packet, r.server); err != nil {
		return err
	}
	return r.wait(firstPatience)
}

// again sends the last packet again.
func (r *Reader) again() error {
	if err := r.write(r.sent, r.server); err != nil {
		return err
	}
	return r.wait(min(2*r.patient, maxPatience))
}

func (r *Reader) wait(d time.Duration) error {
	r.patient = d
	return r.reason(r.conn.SetReadDeadline(time.Now().Add(d)))
}

func (r *Reader) write(packet []byte, to netip.AddrPort) error {
	_, err := r.conn.WriteToUDPAddrPort(packet, to)
	return r.reason(err)
}

// tell ends the transfer. The server does not answer.
func (r *Reader) tell(code uint16, message string) {
	r.write(errorPacket(code, message), r.server)
}

// reason returns why the context ended, which closes the socket, or else err.
func (r *Reader) reason(err error) error {
	if err != nil && r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return err
}

// Close ends the transfer. If the file is not complete, it tells the server.
func (r *Reader) Close() error {
	if !r.unbind() {
		return nil // the context has closed the socket
	}
	if !r.ended && r.failed == nil {
		r.tell(CodeUndefined, "cancelled")
	}
	return r.conn.Close()
}
