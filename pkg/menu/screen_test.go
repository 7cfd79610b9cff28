// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package menu

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// pipe is a console that takes what is read from the other end. Like a terminal it
// has deadlines.
func pipe(t *testing.T, keys io.Reader) (c *keyed, taken *os.File) {
	t.Helper()
	taken, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); taken.Close() })
	return &keyed{keys, w}, taken
}

// A keyed console reads from one place and writes to another.
type keyed struct {
	io.Reader
	w *os.File
}

func (k *keyed) Write(b []byte) (int, error)        { return k.w.Write(b) }
func (k *keyed) SetWriteDeadline(t time.Time) error { return k.w.SetWriteDeadline(t) }

// TestSlowConsoles: one console takes nothing, and one a little at a time. Neither
// delays the third, and the slow one shows all of the menu.
func TestSlowConsoles(t *testing.T) {
	keys, _ := io.Pipe()
	stuck, _ := pipe(t, keys)
	slow, slowEnd := pipe(t, keys)
	quick := &console{Reader: keys}
	m := &Menu{Title: "boot", Default: 0, Timeout: 3 * time.Second}
	for range 500 {
		m.Items = append(m.Items, Item{Text: strings.Repeat("x", 60_000), Below: "below"})
	}
	shown := make(chan string)
	go func() {
		var all strings.Builder
		b := make([]byte, 4<<10)
		for {
			time.Sleep(20 * time.Millisecond)
			n, err := slowEnd.Read(b)
			if all.Write(b[:n]); err != nil {
				shown <- all.String()
				return
			}
		}
	}()
	start := time.Now()
	got := m.Show(t.Context(), stuck, slow, quick)
	if d := time.Since(start); got.Asked || got.Item != 0 || d > 8*time.Second {
		t.Errorf("%+v after %v", got, d)
	}
	slow.w.Close()
	for name, text := range map[string]string{"slow": <-shown, "quick": quick.String()} {
		if !strings.Contains(text, "500  "+strings.Repeat("x", 200)+"...") || !strings.Contains(text, "booting 1 in 3 s") {
			t.Errorf("%s: %d bytes, %.200q", name, len(text), text)
		}
	}
}
