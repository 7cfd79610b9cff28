// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"regexp"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// kbootFiles are where kboot and Petitboot look.
var kbootFiles = []string{"kboot.conf", "etc/kboot.conf", "boot/kboot.conf"}

// Kboot reads kboot.conf as Petitboot does, but with the timeout (in seconds),
// which kboot has and Petitboot passes over: lines
// LABEL='[DEVICE:]KERNEL [initrd=[DEVICE:]FILE] [dtb=…] [root=…] OPTIONS', and
// settings that hold for all of them.
func Kboot(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := find("kboot", v, kbootFiles)
	if err != nil {
		return nil, err
	}
	// Globals hold for labels above them, too.
	global := map[string]*string{
		"default": nil, "delay": nil, "message": nil, "timeout": nil, "initrd": nil, "root": nil, "video": nil,
		"dtb": nil,
	}
	type label struct{ where, name, value string }
	var labels []label
	for _, l := range lines(s.Source, s.text, false) {
		key, value := s.pair(l)
		if value == "" {
			continue
		}
		if _, ok := global[key]; !ok {
			labels = append(labels, label{l.where, key, value})
			continue
		}
		global[key] = &value
		if key == "timeout" {
			s.Timeout = s.wait(l, value, time.Second)
		}
	}
	for _, l := range bounded(s, labels) {
		words := strings.Fields(l.value)
		if len(words) == 0 {
			s.leaveOut(l.where, l.name, "no kernel")
			continue
		}
		own := map[string]*string{"initrd": global["initrd"], "root": global["root"], "video": global["video"], "dtb": global["dtb"]}
		var options []string
		for _, word := range words[1:] {
			key, value, ok := strings.Cut(word, "=")
			if _, known := own[key]; ok && known {
				value = strings.Trim(value, `"'`)
				own[key] = &value
				continue
			}
			options = append(options, word)
		}
		for _, key := range []string{"video", "root"} {
			if own[key] != nil {
				options = append([]string{key + "=" + *own[key]}, options...)
			}
		}
		ch := choice{where: l.where, id: l.name, kernel: s.kbootRef(words[0], all), cmdline: strings.Join(options, " ")}
		if own["initrd"] != nil {
			ch.initrds = []ref{s.kbootRef(*own["initrd"], all)}
		}
		if own["dtb"] != nil {
			tree := s.kbootRef(*own["dtb"], all)
			ch.tree = &tree
		}
		s.add(ch)
	}
	if global["default"] != nil {
		s.choose(*global["default"])
	}
	return s.Config, nil
}

var onDevice = regexp.MustCompile(`^(?:/dev/)?([^/:]+):(.*)$`)

// kbootRef takes a path, or one on a device that is named by its name, or the
// label or UUID of its file system.
func (s *source) kbootRef(name string, all entry.Volumes) ref {
	m := onDevice.FindStringSubmatch(name)
	if m == nil {
		return s.here(name)
	}
	by, value, _ := strings.Cut(m[1], "=")
	v := all.Find(func(v *entry.Volume) bool {
		switch by {
		case "LABEL":
			return v.Label == value
		case "UUID":
			return strings.EqualFold(v.UUID, value)
		}
		return v.Device == m[1]
	})
	if v == nil {
		return ref{name: name}
	}
	return ref{[]*entry.Volume{v}, m[2]}
}
