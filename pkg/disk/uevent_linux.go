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

// An Event is the kernel's message about a device that came, went or changed.
type Event struct {
	Action, Subsystem, Modalias string
	// Seq is the number of the event, counted over all events of the
	// kernel.
	Seq uint64
	// Lost means that the kernel had to drop events: look at all devices
	// again.
	Lost bool
}

// Sequence returns the number of the kernel's last event, from the sysfs under
// root (normally "/"). A reader that has seen that event has missed nothing.
func Sequence(root string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(root, "sys/kernel/uevent_seqnum"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
}

// Events is a socket that receives the kernel's uevents (lib/kobject_uevent.c).
type Events struct{ f *os.File }

// Listen opens the socket. It misses no event from then on.
func Listen() (*Events, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("uevents: %w", err)
	}
	// A network card announces each of its many queues. If a larger buffer
	// is not permitted, events may be lost; Next reports that.
	const room = 8 << 20
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room)
	const kernelGroup = 1
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		return nil, errors.Join(fmt.Errorf("uevents: %w", err), unix.Close(fd))
	}
	return &Events{os.NewFile(uintptr(fd), "uevents")}, nil
}

// past is a deadline that ends a read immediately.
var past = time.Unix(1, 0)

// Close closes the socket and ends a Next that is waiting.
func (e *Events) Close() error { return e.f.Close() }

// maxEvent is UEVENT_BUFFER_SIZE of the kernel, and room for the header.
const maxEvent = 8 << 10

// Next waits for an event. Its error wraps that of ctx if ctx has ended.
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

// parseEvent parses ACTION@PATH and KEY=VALUE words, each terminated by a NUL.
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
			e.Seq, _ = strconv.ParseUint(value, 10, 64) // no event has the number 0
		}
	}
	return e
}
