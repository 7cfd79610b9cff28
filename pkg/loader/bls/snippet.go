// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// A snippet is the file of one entry.
type snippet struct {
	entry.Entry
	where                           string // for messages
	id, version, machineID, sortKey string
	linux, initrds, options, tree   string
	architecture, firmware, program string
	hasOptions, overlays, exhausted bool
	isRead                          bool  // the file has a text that can be read
	wrong                           error // why the entry cannot be booted
	// elsewhere: systemd-boot offers the entry, but it is no Linux that can be
	// offered here.
	elsewhere bool
	// end is what systemd-boot compares after the ID, and other loaders do not:
	// it sorts arch.conf before arch-fallback.conf.
	end string
}

// counters matches the end of the name of a file whose boots are counted: the
// tries left and, after the first one, the tries done.
var counters = regexp.MustCompile(`\+(\d+)(-\d+)?$`)

// read reads the file of an entry. Also with an error the snippet has an ID.
func read(v *entry.Volume, name string, is reader) (*snippet, error) {
	s := &snippet{where: entry.Printable(v.Device + ":/" + name)}
	s.identify(path.Base(name), is)
	b, err := v.ReadConfig(name)
	if err != nil {
		return s, err
	}
	if len(b) > maxText {
		return s, fmt.Errorf("%s has more than %d bytes", s.where, maxText)
	}
	s.isRead = true
	single := map[string]*string{
		"title": &s.Title, "version": &s.version, "machine-id": &s.machineID, "sort-key": &s.sortKey, "id": &s.id,
		"linux": &s.linux, "devicetree": &s.tree, "architecture": &s.architecture,
	}
	var options, initrds []string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value := line, ""
		if i := strings.IndexAny(line, " \t"); i >= 0 {
			key, value = line[:i], strings.TrimSpace(line[i:])
		}
		switch key {
		case "initrd":
			initrds = append(initrds, value)
		case "options":
			options = append(options, value)
		case "devicetree-overlay":
			s.overlays = true
		case "efi", "uki", "uki-url":
			s.firmware, s.program = key, value
		default:
			if field := single[key]; field != nil {
				*field = value
			}
		}
	}
	s.hasOptions = len(options) > 0
	s.options, s.initrds = strings.Join(options, " "), strings.Join(initrds, " ")
	return s, nil
}

// identify takes the ID from the name of the file. GRUB knows no counters: they
// are a part of the name for it.
func (s *snippet) identify(name string, is reader) {
	s.ID = name[:len(name)-len(".conf")]
	if m := counters.FindStringSubmatchIndex(s.ID); m != nil && is != grub {
		s.exhausted = strings.Trim(s.ID[m[2]:m[3]], "0") == ""
		s.ID = s.ID[:m[0]]
	}
	if is == systemd {
		s.end = ".conf"
	}
}

// complete finds the files and makes the command line. Its error is the reason
// why the entry is left out.
func (s *snippet) complete(at *place, env *variables, arch string) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w", s.where, fmt.Errorf(format, args...))
	}
	if is := architectures[strings.ToLower(s.architecture)]; is != "" && is != arch {
		return wrong("is for %s", is)
	}
	if s.linux == "" && s.firmware != "" {
		_, err := at.locate(s.program)
		s.elsewhere = err == nil || s.firmware == "uki-url"
		return wrong("%s is for EFI firmware", s.firmware)
	}
	if s.linux == "" {
		return wrong("no linux key")
	}
	var texts [4]string
	if !s.hasOptions {
		s.options = env.get("default_kernelopts")
	}
	for i, text := range []string{s.linux, s.initrds, s.options, s.tree} {
		var err error
		if texts[i], err = env.expand(text); err != nil {
			return wrong("%w", err)
		}
	}
	s.Cmdline = cmdline.Tidy(texts[2])
	var err error
	if s.Kernel, err = at.locate(texts[0]); err != nil {
		return wrong("linux: %w", err)
	}
	initrds := s.withEarly(strings.Fields(texts[1]), env)
	if len(initrds) > loader.MaxInitrds {
		return wrong("more than %d initrds", loader.MaxInitrds)
	}
	for _, name := range initrds {
		f, err := at.locate(name)
		if err != nil {
			return wrong("initrd: %w", err)
		}
		s.Initrds = append(s.Initrds, f)
	}
	if name := s.withTree(texts[3], env); name != "" {
		f, err := at.locate(name)
		if err != nil {
			return wrong("devicetree: %w", err)
		}
		s.DeviceTree = &f
	}
	return nil
}

// withEarly prepends GRUB's early_initrd, which names files in the directory of
// the entry's initrds, or of its kernel if it has none, unless the entry uses the
// variable itself.
func (s *snippet) withEarly(initrds []string, env *variables) []string {
	if strings.Contains(s.initrds, "$early_initrd") {
		return initrds
	}
	beside := append(slices.Clip(initrds), s.linux)[0]
	var all []string
	for name := range strings.FieldsSeq(env.get("early_initrd")) {
		all = append(all, path.Join(path.Dir(beside), name))
	}
	return append(all, initrds...)
}

// withTree returns the device tree of an entry. One that names none gets that of
// GRUB's variable, in the directory of its kernel.
func (s *snippet) withTree(name string, env *variables) string {
	if beside := env.get("devicetree"); name == "" && beside != "" {
		return path.Join(path.Dir(s.linux), beside)
	}
	return name
}

// rescue reports whether this is the rescue entry, which dracut makes of the
// first kernel that is installed.
func (s *snippet) rescue() bool {
	return strings.HasPrefix(s.version, "0-rescue") || strings.Contains(s.ID, "-0-rescue")
}

// architectures maps the names of EFI, in lower case, and those that
// distributions use, to GOARCH. An entry for an architecture that is not listed
// is taken for one of this machine.
var architectures = map[string]string{
	"ia32": "386", "i386": "386", "i686": "386", "386": "386",
	"x64": "amd64", "x86_64": "amd64", "x86-64": "amd64", "amd64": "amd64",
	"ia64": "ia64",
	"arm":  "arm", "armhf": "arm", "armv7l": "arm", "armv7hl": "arm",
	"aa64": "arm64", "aarch64": "arm64", "arm64": "arm64",
	"riscv32": "riscv32", "riscv64": "riscv64", "riscv128": "riscv128",
	"loongarch32": "loong32", "loongarch64": "loong64", "loong64": "loong64",
	"ppc64": "ppc64", "ppc64le": "ppc64le", "ppc64el": "ppc64le", "ppc64-le": "ppc64le",
	"s390x": "s390x",
}
