// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package petitboot

import (
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// nativeFiles are where Petitboot looks for its own configuration.
var nativeFiles = []string{"boot/petitboot.conf", "petitboot.conf"}

// An option is what follows a line name.
type option struct {
	where, name string
	keys        map[string]string
}

// ParseNative reads a volume's petitboot.conf (discover/native of Petitboot):
// lines of a key, blanks and a value. A name begins an entry; default is in front
// of the first one. Of a repeated key the first one counts, but all args do.
//
// An error that wraps fs.ErrNotExist means that the volume has no such file;
// all errors wrap entry.ErrConfig.
func ParseNative(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := loader.Open("petitboot", v, nativeFiles)
	if err != nil {
		return nil, err
	}
	global := option{keys: map[string]string{}}
	at := &global
	var options []*option
	for _, l := range loader.Lines(s.Source, s.Text, false) {
		key, value := loader.FirstWord(l.Text)
		if key == "name" {
			at = &option{l.Where, value, map[string]string{}}
			options = append(options, at)
			continue
		}
		at.set(s, l, key, value)
	}
	for _, o := range loader.Bounded(s.Config, options) {
		o.add(s, all)
	}
	if name := global.keys["default"]; name != "" {
		s.Choose(name)
	}
	return s.Config, nil
}

func (o *option) set(s *loader.Source, l loader.Line, key, value string) {
	before, have := o.keys[key]
	switch {
	case key != "args" && have:
		s.Notef("%s: %s is there twice", l.Where, entry.Printable(key))
	case key == "args" && len(before) <= loader.MaxCmdline: // or else it is refused, and does not grow
		o.keys[key] = strings.TrimSpace(before + " " + value)
	case !have:
		o.keys[key] = value
	}
}

func (o *option) add(s *loader.Source, all entry.Volumes) {
	if o.keys["image"] == "" {
		s.LeaveOut(o.where, o.name, "no image")
		return
	}
	ch := loader.Choice{Where: o.where, ID: o.name, Kernel: file(s, o.keys["image"], all), Cmdline: o.keys["args"]}
	if initrd := o.keys["initrd"]; initrd != "" {
		ch.Initrds = []loader.Ref{file(s, initrd, all)}
	}
	if dtb := o.keys["dtb"]; dtb != "" {
		tree := file(s, dtb, all)
		ch.DeviceTree = &tree
	}
	s.Add(ch)
}
