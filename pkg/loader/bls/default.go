// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package bls

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// choose sets the default and the timeout. loader is the directory of
// loader.conf on the first volume.
func choose(c *entry.Config, volumes entry.Volumes, loader string, found []*snippet, env *variables) {
	if len(found) == 0 {
		return
	}
	set := func(at int) {
		if c.Default = entry.Elsewhere; found[at].elsewhere {
			return
		}
		c.Default = 0
		for _, s := range found[:at] {
			if !s.elsewhere {
				c.Default++
			}
		}
	}
	set(0)
	conf, esp := loaderConf(volumes, path.Join(loader, "loader.conf"))
	c.Timeout = timeout(conf["timeout"])
	if isProgram(sameDisk(volumes, volumes[0], esp), conf["default"]) {
		c.Default = entry.Elsewhere
		return
	}
	zipl := ziplDefault(volumes)
	choices := []func(*snippet) bool{
		func(s *snippet) bool { return s.matches(conf["default"]) },
		// The first zipl that read entries called them by their versions.
		func(s *snippet) bool { return s.named(zipl) || zipl != "" && zipl == s.version },
		func(s *snippet) bool { return s.named(env.get("saved_entry")) },
	}
	for _, is := range choices {
		if i := slices.IndexFunc(found, is); i >= 0 {
			set(i)
			return
		}
	}
	if n, err := strconv.Atoi(env.get("saved_entry")); err == nil && 0 <= n && n < len(found) {
		set(n)
	}
}

// sameDisk returns the volumes on the disks of some of them: systemd-boot looks
// for programs on the ESP and on one other partition of its disk.
func sameDisk(volumes entry.Volumes, as ...*entry.Volume) entry.Volumes {
	var near entry.Volumes
	for _, v := range volumes {
		disk, _ := v.Partition()
		if slices.ContainsFunc(as, func(o *entry.Volume) bool { of, _ := o.Partition(); return of == disk }) {
			near = append(near, v)
		}
	}
	return near
}

// isProgram reports whether the default of systemd-boot is something that it
// finds without an entry's file: another system or loader, or a unified kernel
// image.
func isProgram(volumes entry.Volumes, pattern string) bool {
	pattern = strings.ToLower(pattern)
	if strings.HasPrefix(pattern, "auto-") {
		return true
	}
	for _, v := range volumes {
		for _, name := range v.List("EFI/Linux") {
			name = strings.ToLower(name)
			if ok, err := path.Match(pattern, name); ok && err == nil && path.Ext(name) == ".efi" {
				return true
			}
		}
	}
	return false
}

// named reports whether GRUB or zipl call an entry by that name.
func (s *snippet) named(name string) bool {
	return name != "" && (name == s.ID || name == s.id || name == s.Title)
}

// matches compares names as systemd-boot does: with or without the file's
// suffix, and ignoring case.
func (s *snippet) matches(pattern string) bool {
	pattern = strings.ToLower(strings.TrimSuffix(pattern, ".conf"))
	ok, err := path.Match(pattern, strings.ToLower(s.ID))
	return ok && err == nil
}

// loaderConf reads the configuration of systemd-boot, and returns the volume that
// has it, or the first one if there is none. It is on the ESP; entries may be on
// another volume.
func loaderConf(volumes entry.Volumes, name string) (map[string]string, *entry.Volume) {
	var b []byte
	esp := volumes[0]
	for i, v := range volumes {
		if i > 0 {
			name = "loader/loader.conf"
		}
		var err error
		if b, err = v.ReadConfig(name); err == nil {
			esp = v
			break
		}
	}
	conf := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0][0] != '#' {
			conf[f[0]] = f[1]
		}
	}
	return conf, esp
}

// timeout returns nil for a value that is not known.
func timeout(s string) *time.Duration {
	var d time.Duration
	switch s {
	case "menu-force":
		d = -1
	case "menu-hidden", "menu-disabled":
	default:
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return nil
		}
		d = time.Duration(n) * time.Second
	}
	return &d
}

// ziplDefault returns the title or name that is the default in zipl.conf. With
// defaultauto alone zipl takes the first entry.
func ziplDefault(volumes entry.Volumes) string {
	for _, v := range volumes {
		for _, name := range []string{"etc/zipl.conf", "boot/zipl.conf"} {
			b, err := v.ReadConfig(name)
			if err != nil {
				continue
			}
			if s := defaultSection(string(b)); s != "" {
				return s
			}
		}
	}
	return ""
}

func defaultSection(conf string) string {
	section := ""
	for line := range strings.Lines(conf) {
		line = strings.TrimSpace(line)
		key, value, _ := strings.Cut(line, "=")
		switch {
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case section == "defaultboot" && strings.TrimSpace(key) == "default":
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}
