// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

var ziplFiles = []string{"etc/zipl.conf", "boot/zipl.conf", "zipl.conf"}

// A ziplSection is a configuration, or a menu, whose name has a colon in
// front.
type ziplSection struct {
	where, name string
	keys        map[string]string
	first       int // number that a menu names, which is its default
}

// Zipl reads zipl.conf, as zipl.conf(5) describes it: what zipl would install
// from it, which is what its menu names, or else all configurations. Entries
// in the form of the Boot Loader Specification, which zipl reads beside it,
// are package bls's.
func Zipl(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := find("zipl", v, ziplFiles)
	if err != nil {
		return nil, err
	}
	sections := bounded(s, s.ziplSections())
	byName := map[string]*ziplSection{}
	for _, sec := range sections {
		byName[sec.name] = sec
	}
	boot := byName["[defaultboot"]
	if boot == nil {
		boot = &ziplSection{}
	}
	on := append([]*entry.Volume{v}, others(v, all)...)
	def := boot.keys["default"]
	if menu := byName[":"+boot.keys["defaultmenu"]]; menu != nil {
		numbers := bounded(s, menu.numbers())
		for _, n := range numbers {
			name := menu.keys[strconv.Itoa(n)]
			if sec := byName["["+name]; sec != nil {
				s.addZipl(sec, on)
			} else {
				s.Notef("%s: menu: no section %q", menu.where, name)
			}
		}
		n, err := strconv.Atoi(menu.keys["default"])
		if err != nil {
			n = menu.first
		}
		def = menu.keys[strconv.Itoa(n)]
		s.ziplTimeout(menu)
	} else {
		for _, sec := range sections {
			if strings.HasPrefix(sec.name, "[") && sec.name != "[" && sec != boot {
				s.addZipl(sec, on)
			}
		}
		if _, auto := boot.keys["defaultauto"]; auto {
			s.ziplTimeout(boot)
			if def == "" && len(s.Entries) > 0 {
				def = s.Entries[0].ID
			}
		}
	}
	s.choose(def)
	return s.Config, nil
}

func (s *source) ziplSections() []*ziplSection {
	var sections []*ziplSection
	for _, l := range lines(s.Source, s.text, false) {
		if name, ok := strings.CutPrefix(l.text, "["); ok || l.text[0] == ':' {
			if ok {
				name, _, ok = strings.Cut(name, "]")
				name = "[" + strings.TrimSpace(name)
			} else {
				name, ok = ":"+strings.TrimSpace(l.text[1:]), true
			}
			if !ok {
				s.Notef("%s: no closing bracket", l.where)
			}
			if len(name) == 1 {
				s.Notef("%s: a section without a name", l.where)
			}
			sections = append(sections, &ziplSection{where: l.where, name: name, keys: map[string]string{}})
			continue
		}
		key, value := s.pair(l)
		if len(sections) == 0 {
			s.Notef("%s: %q is in no section", l.where, key)
			continue
		}
		sec := sections[len(sections)-1]
		if n, err := strconv.Atoi(key); err == nil && sec.first == 0 {
			sec.first = n
		}
		sec.keys[key] = value
	}
	return sections
}

// numbers are a menu's, in their order.
func (sec *ziplSection) numbers() []int {
	var all []int
	for key := range sec.keys {
		if n, err := strconv.Atoi(key); err == nil && strconv.Itoa(n) == key {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// ziplTimeout: a menu without a prompt does not wait, and one with it waits
// for ever unless it has a timeout.
func (s *source) ziplTimeout(sec *ziplSection) {
	var d time.Duration
	if sec.keys["prompt"] == "1" {
		d = -1
		if n, err := strconv.ParseUint(sec.keys["timeout"], 10, 31); err == nil && n > 0 {
			d = time.Duration(n) * time.Second
		}
	}
	s.Timeout = &d
}

// address is where zipl is to load a file; imaboot places it itself.
var address = regexp.MustCompile(`,\s*(?:0[xX])?[0-9a-fA-F]+$`)

func (s *source) addZipl(sec *ziplSection, on []*entry.Volume) {
	name := sec.name[1:]
	for _, key := range []string{"dumpto", "dumptofs", "dump", "mvdump", "segment"} {
		if _, ok := sec.keys[key]; ok {
			s.leaveOut(sec.where, name, "it is a %s section", key)
			return
		}
	}
	file := func(key string) ref { return ref{on, address.ReplaceAllString(sec.keys[key], "")} }
	ch := choice{where: sec.where, id: name, kernel: file("image"), cmdline: sec.keys["parameters"]}
	if kernel, err := s.locate(ch.kernel); err == nil {
		// The other files are where the kernel is.
		on = append([]*entry.Volume{kernel.Volume}, on...)
	}
	if sec.keys["ramdisk"] != "" {
		ch.initrds = []ref{file("ramdisk")}
	}
	if sec.keys["parmfile"] != "" {
		text, err := s.parmfile(file("parmfile"))
		if err != nil {
			s.leaveOut(sec.where, name, "parmfile: %w", err)
			return
		}
		ch.cmdline = text + " " + ch.cmdline
	}
	s.add(ch)
}

// parmfile reads a command line that may have several lines.
func (s *source) parmfile(r ref) (string, error) {
	f, err := s.locate(r)
	if err != nil {
		return "", err
	}
	b, err := f.Volume.ReadConfig(f.Name)
	if err != nil {
		return "", err
	}
	if len(b) > maxCmdline {
		return "", fmt.Errorf("%q has more than %d bytes", r.name, maxCmdline)
	}
	return strings.Join(strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }), " "), nil
}
