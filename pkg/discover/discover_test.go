// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/imaboot/imaboot/pkg/disk"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

// emptyRoot are the files of a machine without devices.
var emptyRoot = map[string]string{"proc/sys/kernel/osrelease": "6.1.0\n", "sys/kernel/uevent_seqnum": "0\n"}

// A journal keeps what is logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) log(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(&j.text, format+"\n", args...)
}

func (j *journal) check(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, w := range want {
		if strings.Count(j.text.String(), w) != 1 {
			t.Errorf("%q is not logged once:\n%s", w, j.text.String())
		}
	}
}

// testFinder searches a root tree. Directories under volumes stand for mounted
// file systems.
func testFinder(t *testing.T, o Options, files map[string]string) (*finder, *journal) {
	t.Helper()
	o.Root = fileroot.New(t, emptyRoot)
	fileroot.Add(t, o.Root, files)
	j := &journal{}
	o.Log, o.Debug = j.log, j.log
	f := newFinder(o.withDefaults())
	f.unmount = (*entry.Volume).Close
	f.mount = func(d disk.Device) (*entry.Volume, error) {
		v, err := entry.OpenVolume(filepath.Join(o.Root, "volumes", d.Name), d.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Name, disk.ErrMount)
		}
		return v, nil
	}
	var err error
	if f.devices, err = watch(f.Root, f.Log, f.Debug); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.devices.close(), f.Close()); err != nil {
			t.Error(err)
		}
	})
	return f, j
}

// device are the files of a block device in sysfs.
func device(name, number string) map[string]string {
	dir := "sys/class/block/" + name + "/"
	return map[string]string{dir + "size": "2048\n", dir + "dev": number + "\n", dir + "uevent": ""}
}

// TestFind: a device that holds no file system is skipped with a reason, and
// that nothing was found is Default's error.
func TestFind(t *testing.T) {
	root := fileroot.New(t, emptyRoot)
	fileroot.Add(t, root, device("vda", "254:0"))
	fileroot.Add(t, root, map[string]string{"dev/vda": strings.Repeat("\x00", 4086) + "SWAPSPACE2"})
	j := &journal{}
	f, err := Find(t.Context(), Options{Root: root, From: []Place{Disk}, Wait: -1, Log: j.log})
	if err != nil {
		t.Fatal(err)
	}
	j.check(t, "vda: cannot be mounted: it is swap space", "disk: 0 entries, found in ")
	if _, err := f.Default(); !errors.Is(err, ErrNothingFound) || !strings.HasSuffix(err.Error(), "in disk") {
		t.Errorf("error %v", err)
	}
	if len(f.Choices())+len(f.Configs()) > 0 {
		t.Errorf("found %+v", f)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "run")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("run: %v", err)
	}
}

func TestFindErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	root := fileroot.New(t, emptyRoot)
	for name, tt := range map[string]struct {
		ctx  context.Context
		o    Options
		want string
	}{
		"no such place": {t.Context(), Options{Root: root, From: []Place{"tape"}}, `no place "tape"`},
		"cancelled":     {cancelled, Options{Root: root}, context.Canceled.Error()},
		"no kernel":     {t.Context(), Options{Root: t.TempDir()}, "no such file"},
	} {
		f, err := Find(tt.ctx, tt.o)
		if f != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v, want %q", name, f, err, tt.want)
		}
	}
}
