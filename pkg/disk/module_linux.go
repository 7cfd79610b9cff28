// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package disk

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/u-root/u-root/pkg/kmodule"
)

// Modules loads the kernel modules that devices and file systems need. On a
// full system, udev does that. Several goroutines may use it at once.
type Modules struct {
	prober  *kmodule.Prober
	aliases []alias
	log     func(format string, args ...any)

	mu    sync.Mutex // held while a module is loaded
	tried map[string]bool
}

type alias struct{ pattern, module string }

// NewModules reads modules.alias of the running kernel under root (normally
// "/"). If there is no such file, the Modules never load anything. log is told
// which modules cannot be loaded.
func NewModules(root string, log func(string, ...any)) (*Modules, error) {
	m := &Modules{tried: map[string]bool{}, log: log}
	b, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/osrelease"))
	if err != nil {
		return nil, err
	}
	release := strings.TrimSpace(string(b))
	f, err := os.Open(filepath.Join(root, "lib/modules", release, "modules.alias"))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if m.aliases, err = parseAliases(f); err != nil {
		return nil, err
	}
	p, err := kmodule.NewProber(kmodule.ProbeOpts{RootDir: root, KVer: release})
	if err != nil {
		// This is no error, because drivers may be built into the
		// kernel.
		log("modules: %v", err)
		return m, nil
	}
	m.prober = p
	return m, nil
}

// parseAliases parses lines of the form "alias PATTERN MODULE" (depmod(8)).
func parseAliases(r io.Reader) ([]alias, error) {
	var out []alias
	s := bufio.NewScanner(r)
	for s.Scan() {
		if f := strings.Fields(s.Text()); len(f) == 3 && f[0] == "alias" {
			out = append(out, alias{normal(f[1]), f[2]})
		}
	}
	return out, s.Err()
}

// normal makes "-" and "_" equal, as depmod and the kernel do.
func normal(s string) string { return strings.ReplaceAll(s, "-", "_") }

// match returns the modules that match a modalias.
func (m *Modules) match(modalias string) []string {
	var out []string
	for _, a := range m.aliases {
		// path.Match treats a slash specially; modaliases do not.
		ok, err := path.Match(strings.ReplaceAll(a.pattern, "/", "|"), strings.ReplaceAll(normal(modalias), "/", "|"))
		if err == nil && ok && !slices.Contains(out, a.module) {
			out = append(out, a.module)
		}
	}
	return out
}

// Device loads the modules for a device with this modalias.
func (m *Modules) Device(modalias string) {
	for _, name := range m.match(modalias) {
		m.probe(name)
	}
}

// Cold loads the modules for all devices in the sysfs under root (normally
// "/"). It returns the number of modules that it tried to load.
func (m *Modules) Cold(root string) int {
	before := m.count()
	if m.prober == nil {
		return 0
	}
	// A device that cannot be read is skipped.
	_ = filepath.WalkDir(filepath.Join(root, "sys/devices"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "modalias" {
			if b, err := os.ReadFile(path); err == nil {
				m.Device(strings.TrimSpace(string(b)))
			}
		}
		return nil
	})
	return m.count() - before
}

func (m *Modules) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tried)
}

// filesystems lists, by file system, the driver and the modules that it asks
// the kernel to load through /sbin/modprobe, which an initramfs may lack.
var filesystems = map[string][]string{
	"ext4":    {"crc32c_generic", "ext4"},
	"btrfs":   {"crc32c_generic", "xxhash_generic", "blake2b_generic", "btrfs"},
	"f2fs":    {"crc32_generic", "f2fs"},
	"xfs":     {"crc32c_generic", "xfs"},
	"iso9660": {"nls_utf8", "isofs"},
	"vfat":    {"nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8", "vfat"},
}

// Filesystem loads the driver of a file system.
func (m *Modules) Filesystem(fstype string) {
	names := filesystems[fstype]
	if names == nil {
		names = []string{fstype}
	}
	for _, name := range names {
		m.probe(name)
	}
}

// probe loads a module and its dependencies, unless it has tried before.
func (m *Modules) probe(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.prober == nil || m.tried[name] {
		return
	}
	m.tried[name] = true
	if err := m.prober.Probe(name, ""); err != nil {
		m.log("module %s: %v", name, err)
	}
}
