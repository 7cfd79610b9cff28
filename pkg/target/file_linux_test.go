// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/budget"
)

// write makes a file, which ends in a hole if size is larger than the text.
func write(t *testing.T, name, text string, size int64) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if size > 0 {
		if err := os.Truncate(name, size); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

func TestOpen(t *testing.T) {
	m := budget.New(1 << 20)
	f, err := Open(write(t, "kernel", "kernel", 0), 6, m)
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Data) != "kernel" || m.Left() != 1<<20-6 {
		t.Errorf("data %q, %d bytes left", f.Data, m.Left())
	}
	if err := f.Copy(); err != nil || string(f.Data) != "kernel" {
		t.Errorf("copy: %q, %v", f.Data, err)
	}
	if err := errors.Join(f.Close(), f.Close()); err != nil || m.Left() != 1<<20 {
		t.Errorf("%v, %d bytes left", err, m.Left())
	}
	large := write(t, "large", "", 1<<43)
	for _, tt := range []struct {
		name string
		most int64
		is   error
		want string
	}{
		{filepath.Join(t.TempDir(), "none"), 1, ErrFile, "no such file"},
		{t.TempDir(), 1, ErrFile, "is no regular file"},
		{write(t, "empty", "", 0), 1, ErrFile, "is empty"},
		{large, 1 << 30, budget.ErrTooLarge, "8388608 MiB"},
		{large, 1 << 60, budget.ErrTooLarge, "1.0 MiB (1048576 bytes) are left"},
	} {
		_, err := Open(tt.name, tt.most, m)
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestRelease: what was released can be read again, and ranges beyond the file
// do no harm.
func TestRelease(t *testing.T) {
	content := strings.Repeat("kernel\n", 10000)
	f, err := Open(write(t, "kernel", content, 0), 1<<20, budget.New(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		for _, r := range [][2]int{{0, len(content)}, {5000, 60000}, {3, 4}, {60000, 1 << 30}, {9000, 8}} {
			f.Release(r[0], r[1])
			if string(f.Data) != content {
				t.Fatalf("%v: other content", r)
			}
		}
		// A copy has no file to come back from.
		if err := f.Copy(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCopySparse: a copy is compared with what is left, which the mapping has
// taken a part of.
func TestCopySparse(t *testing.T) {
	m := budget.New(10 << 20)
	f, err := Open(write(t, "kernel", "", 6<<20), 1<<30, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Copy(); !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(err.Error(), f.Name) {
		t.Error(err)
	}
	if err := f.Close(); err != nil || m.Left() != 10<<20 {
		t.Errorf("%v, %d bytes left", err, m.Left())
	}
}

func TestJoin(t *testing.T) {
	m := budget.New(1 << 20)
	names := []string{write(t, "a", "abc", 0), write(t, "b", "defgh", 0), write(t, "c", "i", 0)}
	whole, parts, err := Join(names, 4, m)
	if err != nil {
		t.Fatal(err)
	}
	if want := "abc\x00defgh\x00\x00\x00i"; string(whole.Data) != want {
		t.Errorf("%q, want %q", whole.Data, want)
	}
	var got []string
	for i, p := range parts {
		if got = append(got, string(p.Data)); p.Name != names[i] {
			t.Errorf("part %d is called %s", i, p.Name)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(got, []string{"abc", "defgh", "i"}) {
		t.Errorf("%q", got)
	}
	if err := whole.Close(); err != nil || m.Left() != 1<<20 {
		t.Errorf("%v, %d bytes left", err, m.Left())
	}
	half := write(t, "half", "", 600<<10)
	if _, _, err := Join([]string{half, half}, 4, m); !errors.Is(err, budget.ErrTooLarge) || !strings.Contains(err.Error(), "half") {
		t.Error(err)
	}
	if _, _, err := Join([]string{half, filepath.Join(t.TempDir(), "none")}, 4, m); !errors.Is(err, ErrFile) || m.Left() != 1<<20 {
		t.Errorf("%v, %d bytes left", err, m.Left())
	}
}

// TestTooLargeIsNotOpened: IMA would have the kernel read all of the file.
func TestTooLargeIsNotOpened(t *testing.T) {
	large, small := write(t, "large", "", 1<<40), write(t, "small", "x", 0)
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, name := range []string{large, small} {
		if _, err := unix.InotifyAddWatch(fd, name, unix.IN_OPEN); err != nil {
			t.Fatal(err)
		}
	}
	m := budget.New(1 << 20)
	if _, err := Open(large, MaxKernel, m); !errors.Is(err, budget.ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := Join([]string{small, large}, 4, m); !errors.Is(err, budget.ErrTooLarge) {
		t.Error(err)
	}
	if n, err := unix.Read(fd, make([]byte, 1<<10)); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("a file was opened: %d bytes of events, %v", n, err)
	}
}
