// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// An Event is what the kernel says of a device that came or changed.
type Event struct {
	Action, Subsystem, Modalias string
	// Seq counts all events of the kernel.
	Seq uint64
	// Lost: the kernel had to drop some. Look at everything again.
	Lost bool
}

// Sequence is the number of the kernel's last event under root ("/"). Who has
// seen the event of that number has missed nothing so far.
func Sequence(root string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(root, "sys/kernel/uevent_seqnum"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
}

// Events is a socket of the kernel's uevents (lib/kobject_uevent.c).
type Events struct{ f *os.File }

// Listen opens the socket: what comes afterwards is not missed.
func Listen() (*Events, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("uevents: %w", err)
	}
	// A network card with many queues announces each of them. Where that is
	// not allowed some events may be lost, which Next tells.
	const room = 8 << 20
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room)
	const kernelGroup = 1
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		return nil, errors.Join(fmt.Errorf("uevents: %w", err), unix.Close(fd))
	}
	return &Events{os.NewFile(uintptr(fd), "uevents")}, nil
}

// past is a deadline that ends a read at once.
var past = time.Unix(1, 0)

// Close ends a Next that waits.
func (e *Events) Close() error { return e.f.Close() }

// maxEvent is UEVENT_BUFFER_SIZE with room for the head.
const maxEvent = 8 << 10

// Next waits for an event.
func (e *Events) Next(ctx context.Context) (Event, error) {
	if err := e.f.SetReadDeadline(time.Time{}); err != nil {
		return Event{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = e.f.SetReadDeadline(past) })
	defer stop()
	b := make([]byte, maxEvent)
	n, err := e.f.Read(b)
	if errors.Is(err, unix.ENOBUFS) {
		return Event{Lost: true}, nil
	}
	if err != nil {
		return Event{}, errors.Join(ctx.Err(), err)
	}
	return parseEvent(b[:n]), nil
}

// parseEvent reads ACTION@PATH and KEY=VALUE, each ended by a zero.
func parseEvent(b []byte) Event {
	var e Event
	for word := range bytes.SplitSeq(b, []byte{0}) {
		key, value, _ := strings.Cut(string(word), "=")
		switch key {
		case "ACTION":
			e.Action = value
		case "SUBSYSTEM":
			e.Subsystem = value
		case "MODALIAS":
			e.Modalias = value
		case "SEQNUM":
			e.Seq, _ = strconv.ParseUint(value, 10, 64) // 0 is in no event
		}
	}
	return e
}
