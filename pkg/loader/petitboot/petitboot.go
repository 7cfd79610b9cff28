// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package petitboot reads petitboot.conf, the configuration of Petitboot, and
// kboot.conf, that of kboot, which Petitboot reads as well.
package petitboot

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// files are where kboot and Petitboot look.
var files = []string{"kboot.conf", "etc/kboot.conf", "boot/kboot.conf"}

// globals are the settings that hold for all labels.
var globals = []string{"default", "delay", "message", "timeout", "initrd", "root", "video", "dtb"}

// A label is one line LABEL=VALUE.
type label struct{ where, name, value string }

// Parse reads a volume's kboot.conf as Petitboot does: lines
// LABEL='[DEVICE:]KERNEL [initrd=[DEVICE:]FILE] [dtb=…] [root=…] OPTIONS', and
// settings for all labels, above or below them. It also reads the timeout (in
// seconds), as kboot does and Petitboot does not.
//
// An error that wraps fs.ErrNotExist means that the volume has no such file;
// all errors wrap entry.ErrConfig.
func Parse(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := loader.Open("kboot", v, files)
	if err != nil {
		return nil, err
	}
	global := map[string]*string{}
	var labels []label
	for _, l := range loader.Lines(s.Source, s.Text, false) {
		key, value := loader.Pair(s.Config, l)
		switch {
		case value == "":
			continue
		case !slices.Contains(globals, key):
			labels = append(labels, label{l.Where, key, value})
			continue
		case key == "timeout":
			s.Timeout = loader.Timeout(s.Config, l, value, time.Second)
		}
		global[key] = &value
	}
	for _, l := range loader.Bounded(s.Config, labels) {
		add(s, l, global, all)
	}
	if global["default"] != nil {
		s.Choose(*global["default"])
	}
	return s.Config, nil
}

// add makes an entry of a label. Its own settings replace the global ones.
func add(s *loader.Source, l label, global map[string]*string, all entry.Volumes) {
	words := strings.Fields(l.value)
	if len(words) == 0 {
		s.LeaveOut(l.where, l.name, "no kernel")
		return
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
	ch := loader.Choice{Where: l.where, ID: l.name, Kernel: file(s, words[0], all), Cmdline: strings.Join(options, " ")}
	if own["initrd"] != nil {
		ch.Initrds = []loader.Ref{file(s, *own["initrd"], all)}
	}
	if own["dtb"] != nil {
		tree := file(s, *own["dtb"], all)
		ch.DeviceTree = &tree
	}
	s.Add(ch)
}

var onDevice = regexp.MustCompile(`^(?:/dev/)?([^/:]+):(.*)$`)

// file takes a path, or DEVICE:PATH. DEVICE is a block device's name, or
// LABEL=… or UUID=… of its file system.
func file(s *loader.Source, name string, all entry.Volumes) loader.Ref {
	m := onDevice.FindStringSubmatch(name)
	if m == nil {
		return s.Here(name)
	}
	by, value, _ := strings.Cut(m[1], "=")
	v := loader.Nearest(s.Config, s.Volume, all, entry.Printable(m[1]), func(v *entry.Volume) bool {
		switch by {
		case "LABEL":
			return v.Label == value
		case "UUID":
			return strings.EqualFold(v.UUID, value)
		}
		return v.Device == m[1]
	})
	if v == nil {
		return loader.Ref{Name: name}
	}
	return loader.Ref{On: []*entry.Volume{v}, Name: m[2]}
}
