// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package menu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// A console holds what somebody types, and what they see.
type console struct {
	io.Reader
	mu   sync.Mutex
	seen bytes.Buffer
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.Write(b)
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen.String()
}

// never is a console that nobody uses.
type never struct{}

func (never) Read([]byte) (int, error) { select {} }

func TestShow(t *testing.T) {
	m := &Menu{
		Title: "a title", Default: 1, Timeout: -1,
		Items: []Item{{"first", "below", "ro"}, {"second", "", "rw quiet"}},
	}
	for _, tt := range []struct {
		name, typed string
		want        Choice
		seen        string
	}{
		{"the default", "\r", Choice{Boot, 1, "rw quiet", true, 1}, "* 2"},
		{"by number", "1\n", Choice{Boot, 0, "ro", true, 1}, "below"},
		{"mistyped", "7\b1\r", Choice{Boot, 0, "ro", true, 1}, ""},
		{"no such entry", "3\rx\r2\r", Choice{Boot, 1, "rw quiet", true, 1}, `there is no entry "x"`},
		{"edited", "e 1\r single\r", Choice{Boot, 0, "ro single", true, 1}, "> ro"},
		{"typed anew", "e 2\r\x15debug\r", Choice{Boot, 1, "debug", true, 1}, ""},
		{"shell", "s\r", Choice{Action: Shell, Asked: true, Console: 1}, ""},
		{"reboot", "r\r", Choice{Action: Reboot, Asked: true, Console: 1}, ""},
		{"control characters", "\x1b\x00\x011\r", Choice{Boot, 0, "ro", true, 1}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &console{Reader: strings.NewReader(tt.typed)}
			other := &console{Reader: never{}}
			got := m.Show(t.Context(), other, c)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			// Both consoles show the same text.
			if c.String() != other.String() || !strings.Contains(strings.ReplaceAll(c.String(), "*  2", "* 2"), tt.seen) {
				t.Errorf("%q is not in\n%s\nor not in\n%s", tt.seen, c, other)
			}
		})
	}
}

// TestTimeout: without a key, the menu returns the default; one key stops the
// countdown.
func TestTimeout(t *testing.T) {
	m := &Menu{Items: []Item{{Text: "a"}, {Text: "b", Cmdline: "ro"}}, Default: 1, Timeout: time.Second}
	if got := m.Show(t.Context(), &console{Reader: never{}}); got.Asked || got.Item != 1 || got.Cmdline != "ro" {
		t.Errorf("%+v", got)
	}
	m.Timeout = 0
	if got := m.Show(t.Context()); got.Asked || got.Item != 1 {
		t.Errorf("without time: %+v", got)
	}
	m.Timeout = time.Second
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = w.Write([]byte("x")) }()
	if got := m.Show(ctx, &console{Reader: r}); got.Asked || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("a key did not stop the time: %+v", got)
	}
}

// TestTypedAhead: what is typed after a choice is left for a shell.
func TestTypedAhead(t *testing.T) {
	m := &Menu{Items: []Item{{Text: "a", Cmdline: "\x1b[2J"}}, Timeout: -1}
	typed := strings.NewReader("e 1\r\x15s\rs\rls\r")
	c := &console{Reader: typed}
	if got := m.Show(t.Context(), c); got.Cmdline != "s" || got.Action != Boot {
		t.Errorf("%+v", got)
	}
	if strings.Contains(c.String(), "\x1b") {
		t.Errorf("a command line controls the console: %q", c)
	}
	if got := m.Show(t.Context(), c); got.Action != Shell {
		t.Errorf("%+v", got)
	}
	if left, err := io.ReadAll(typed); string(left) != "ls\r" || err != nil {
		t.Errorf("%q, %v is left", left, err)
	}
}

// TestNoDefault: neither the timeout nor an empty line makes a choice.
func TestNoDefault(t *testing.T) {
	m := &Menu{Items: []Item{{Text: "a", Cmdline: "ro"}}, Default: None, Timeout: time.Second}
	if got := m.Show(t.Context(), &console{Reader: strings.NewReader("\r1\r")}); got.Item != 0 || !got.Asked {
		t.Errorf("%+v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	if got := m.Show(ctx, &console{Reader: never{}}); got.Item != None || ctx.Err() == nil {
		t.Errorf("%+v", got)
	}
}

// TestHostile: what entries say of themselves does not control the console.
func TestHostile(t *testing.T) {
	const hostile = "x\x1b[2J\ry\bz\u009b2J\u202e\x9b1m\xff\a\x7f\t\n"
	m := &Menu{Title: hostile, Items: []Item{{hostile, hostile, hostile}}, Timeout: 3 * time.Second}
	c := &console{Reader: strings.NewReader("\x1b9\u009b\re 1\r\x15\b\r")}
	m.Show(t.Context(), c)
	// These are the menu's own.
	text := strings.NewReplacer("\r\n", "", "\b \b", "", "\rbooting", "", "\r ", "", "\r>", "").Replace(c.String())
	for i, r := range text {
		if !strconv.IsPrint(r) || r == utf8.RuneError && text[i] != 0xef {
			t.Fatalf("byte %d is %q: %q", i, r, text)
		}
	}
}
