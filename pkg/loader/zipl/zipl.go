// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package zipl reads zipl.conf, the configuration of the loader zipl for IBM Z.
package zipl

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

var files = []string{"etc/zipl.conf", "boot/zipl.conf", "zipl.conf"}

// A section is a configuration or a menu.
type section struct {
	where string
	// name begins with [ for a configuration, with a colon for a menu.
	name string
	keys map[string]string
	// first is the number that a menu names first; it is the menu's default.
	first int
}

// A reader makes entries of the sections of one configuration.
type reader struct {
	*loader.Source
	sections []*section
	byName   map[string]*section
	// on are the volumes that files may be on.
	on []*entry.Volume
}

// Parse reads a volume's zipl.conf, as zipl.conf(5) describes it. The entries
// are what zipl would install: the configurations that the default menu names,
// or else all of them. Entries in the form of the Boot Loader Specification,
// which zipl reads as well, are left to package bls.
//
// An error that wraps fs.ErrNotExist means that the volume has no such file;
// all errors wrap entry.ErrConfig.
func Parse(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := loader.Open("zipl", v, files)
	if err != nil {
		return nil, err
	}
	r := &reader{Source: s, byName: map[string]*section{}, on: append([]*entry.Volume{v}, loader.Others(v, all)...)}
	r.sections = loader.Bounded(s.Config, r.split())
	for _, sec := range r.sections {
		r.byName[sec.name] = sec
	}
	boot := r.byName["[defaultboot"]
	if boot == nil {
		boot = &section{}
	}
	if menu := r.byName[":"+boot.keys["defaultmenu"]]; menu != nil {
		s.Choose(r.menu(menu))
	} else {
		s.Choose(r.configurations(boot))
	}
	return s.Config, nil
}

// menu adds the configurations of a menu, and returns the name of its default.
func (r *reader) menu(menu *section) string {
	for _, n := range loader.Bounded(r.Config, menu.numbers()) {
		name := menu.keys[strconv.Itoa(n)]
		if sec := r.byName["["+name]; sec != nil {
			r.add(sec)
		} else {
			r.Notef("%s: menu: no section %q", menu.where, name)
		}
	}
	r.timeout(menu)
	n, err := strconv.Atoi(menu.keys["default"])
	if err != nil {
		n = menu.first
	}
	return menu.keys[strconv.Itoa(n)]
}

// configurations adds all configurations, and returns the name of the default.
func (r *reader) configurations(boot *section) string {
	for _, sec := range r.sections {
		if strings.HasPrefix(sec.name, "[") && sec.name != "[" && sec != boot {
			r.add(sec)
		}
	}
	def := boot.keys["default"]
	if _, auto := boot.keys["defaultauto"]; auto {
		r.timeout(boot)
		if def == "" && len(r.Entries) > 0 {
			def = r.Entries[0].ID
		}
	}
	return def
}

// split returns the sections of the file.
func (r *reader) split() []*section {
	var sections []*section
	for _, l := range loader.Lines(r.Config.Source, r.Text, false) {
		if l.Text[0] == '[' || l.Text[0] == ':' {
			sections = append(sections, &section{where: l.Where, name: r.header(l), keys: map[string]string{}})
			continue
		}
		key, value := loader.Pair(r.Config, l)
		if len(sections) == 0 {
			r.Notef("%s: %q is in no section", l.Where, key)
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

// header takes the name of a section from its first line.
func (r *reader) header(l loader.Line) string {
	name := l.Text[1:]
	if l.Text[0] == '[' {
		var closed bool
		if name, _, closed = strings.Cut(name, "]"); !closed {
			r.Notef("%s: no closing bracket", l.Where)
		}
	}
	name = l.Text[:1] + strings.TrimSpace(name)
	if len(name) == 1 {
		r.Notef("%s: a section without a name", l.Where)
	}
	return name
}

// numbers returns a menu's numbers in ascending order.
func (sec *section) numbers() []int {
	var all []int
	for key := range sec.keys {
		if n, err := strconv.Atoi(key); err == nil && strconv.Itoa(n) == key {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// timeout sets the time that a menu waits. A menu without a prompt does not
// wait; one with a prompt and without a timeout waits forever.
func (r *reader) timeout(sec *section) {
	var d time.Duration
	if sec.keys["prompt"] == "1" {
		d = -1
		if n, err := strconv.ParseUint(sec.keys["timeout"], 10, 31); err == nil && n > 0 {
			d = time.Duration(n) * time.Second
		}
	}
	r.Timeout = &d
}

// address matches the address at which zipl would load a file. It has no
// meaning here.
var address = regexp.MustCompile(`,\s*(?:0[xX])?[0-9a-fA-F]+$`)

// add makes an entry of a configuration.
func (r *reader) add(sec *section) {
	name := sec.name[1:]
	for _, key := range []string{"dumpto", "dumptofs", "dump", "mvdump", "segment"} {
		if _, ok := sec.keys[key]; ok {
			r.LeaveOut(sec.where, name, "it is a %s section", key)
			return
		}
	}
	on := r.on
	file := func(key string) loader.Ref {
		return loader.Ref{On: on, Name: address.ReplaceAllString(sec.keys[key], "")}
	}
	ch := loader.Choice{Where: sec.where, ID: name, Kernel: file("image"), Cmdline: sec.keys["parameters"]}
	if kernel, err := r.Locate(ch.Kernel); err == nil {
		// The other files are looked for beside the kernel first.
		on = append([]*entry.Volume{kernel.Volume}, on...)
	}
	if sec.keys["ramdisk"] != "" {
		ch.Initrds = []loader.Ref{file("ramdisk")}
	}
	if sec.keys["parmfile"] != "" {
		text, err := r.parmfile(file("parmfile"))
		if err != nil {
			r.LeaveOut(sec.where, name, "parmfile: %w", err)
			return
		}
		ch.Cmdline = text + " " + ch.Cmdline
	}
	r.Add(ch)
}

// parmfile reads a file that holds a command line, which may have several
// lines.
func (r *reader) parmfile(at loader.Ref) (string, error) {
	f, err := r.Locate(at)
	if err != nil {
		return "", err
	}
	b, err := f.Volume.ReadConfig(f.Name)
	if err != nil {
		return "", err
	}
	if len(b) > loader.MaxCmdline {
		return "", fmt.Errorf("%q has more than %d bytes", at.Name, loader.MaxCmdline)
	}
	return strings.Join(strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }), " "), nil
}
