// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package menu

import (
	"io"
	"sync"
	"time"
)

// A screen writes to one console, in a goroutine of its own: a console that is
// slow, or that takes nothing at all, must neither delay others nor be given up.
type screen struct {
	w    io.Writer
	wake chan struct{} // holds a value when there is something to write, or to end
	done chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	text   []byte // to be written
	ending bool
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run()
	return s
}

// maxWaiting bounds the text that waits for a console, in bytes. A console that is
// so far behind misses what comes next.
const maxWaiting = 1 << 20

func (s *screen) print(text string) {
	s.mu.Lock()
	if len(s.text)+len(text) <= maxWaiting {
		s.text = append(s.text, text...)
	}
	s.mu.Unlock()
	s.signal()
}

func (s *screen) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *screen) run() {
	defer close(s.done)
	for range s.wake {
		for {
			s.mu.Lock()
			text, ending := s.text, s.ending
			s.text = nil
			s.mu.Unlock()
			if len(text) == 0 && ending {
				return
			}
			if len(text) == 0 {
				break
			}
			if _, err := s.w.Write(text); err != nil {
				return // it has hung up, or its time is over
			}
		}
	}
}

// end lets the goroutine write what is left, until a time.
func (s *screen) end(until time.Time) {
	s.mu.Lock()
	s.ending = true
	s.mu.Unlock()
	s.signal()
	d, ok := s.w.(interface{ SetWriteDeadline(time.Time) error })
	if ok {
		// The next program that writes there has no deadline.
		defer func() { _ = d.SetWriteDeadline(time.Time{}) }()
		if d.SetWriteDeadline(until) == nil {
			<-s.done
			return
		}
	}
	select {
	case <-s.done:
	case <-time.After(time.Until(until)):
	}
}
