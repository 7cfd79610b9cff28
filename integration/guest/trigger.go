// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/integration/script"
)

// await does a step in the background when its trigger fires.
func (g *guest) await(s *script.Step) error {
	if s.On.Say != "" {
		g.said = append(g.said, &saying{text: []byte(s.On.Say), step: s})
		return nil
	}
	return g.onOpen(s)
}

// onOpen does a step whenever another program opens the trigger's file, and
// then lets that program continue.
func (g *guest) onOpen(s *script.Step) error {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return fmt.Errorf("fanotify: %w", err)
	}
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_PERM, unix.AT_FDCWD, s.On.Open); err != nil {
		return errors.Join(fmt.Errorf("fanotify: watch %s: %w", s.On.Open, err), unix.Close(fd))
	}
	g.background.Go(func() {
		// Closing the descriptor lets all programs continue.
		defer unix.Close(fd)
		if err := g.answer(fd, s); err != nil {
			g.emit(script.Event{Event: "error", Text: err.Error()})
		}
	})
	return nil
}

// answer handles events of fanotify until the step was done as often as the
// trigger says.
func (g *guest) answer(fd int, s *script.Step) error {
	const poll = 100 // ms, after which it checks for Stop
	buf := make([]byte, 4096)
	for taken := 0; !g.stop.Load() && (s.On.Times == 0 || taken < s.On.Times); {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, poll); err != nil && err != unix.EINTR {
			return fmt.Errorf("fanotify: %w", err)
		}
		n, err := unix.Read(fd, buf)
		if err == unix.EAGAIN || err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("fanotify: %w", err)
		}
		for events := buf[:n]; len(events) > 0; {
			e := (*unix.FanotifyEventMetadata)(unsafe.Pointer(&events[0]))
			events = events[e.Event_len:]
			if int(e.Pid) != os.Getpid() && (s.On.Times == 0 || taken < s.On.Times) && (!s.On.Loaded || loaded()) {
				taken++
				if err := g.take(s); err != nil {
					return err
				}
			}
			if err := allow(fd, e.Fd); err != nil {
				return err
			}
		}
	}
	return nil
}

// take does a step that was waiting.
func (g *guest) take(s *script.Step) error {
	now := *s
	now.On = nil
	return g.step(&now)
}

// allow lets the program continue that opened the event's file.
func allow(fd int, event int32) error {
	// struct fanotify_response
	b := binary.NativeEndian.AppendUint32(nil, uint32(event))
	b = binary.NativeEndian.AppendUint32(b, unix.FAN_ALLOW)
	_, err := unix.Write(fd, b)
	if err != nil {
		err = fmt.Errorf("fanotify: allow: %w", err)
	}
	return errors.Join(err, unix.Close(int(event)))
}

// loaded reports whether a kernel is loaded that a jump would start.
func loaded() bool {
	b, err := os.ReadFile("/sys/kernel/kexec_loaded")
	return err == nil && bytes.HasPrefix(b, []byte("1"))
}

// A saying is a step that waits for a text.
type saying struct {
	text []byte
	step *script.Step
}

// A listener passes on what a command prints, and does the steps that wait for
// a text in it.
type listener struct {
	io.Writer
	g    *guest
	said []byte
}

func (l *listener) Write(b []byte) (int, error) {
	n, err := l.Writer.Write(b)
	l.said = append(l.said, b[:n]...)
	waiting := l.g.said[:0]
	for _, w := range l.g.said {
		if !bytes.Contains(l.said, w.text) {
			waiting = append(waiting, w)
			continue
		}
		if err := l.g.take(w.step); err != nil {
			l.g.emit(script.Event{Event: "error", Text: err.Error()})
		}
	}
	l.g.said = waiting
	return n, err
}
