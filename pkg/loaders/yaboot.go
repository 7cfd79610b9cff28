// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// yabootFiles are where yaboot looks, and where installation media have it.
var yabootFiles = []string{
	"etc/yaboot.conf", "yaboot.conf", "boot/etc/yaboot.conf", "suseboot/yaboot.cnf", "ppc/ppc64/yaboot.conf",
}

// A yabootImage is one image's settings; those that it lacks are the global
// ones.
type yabootImage struct {
	where       string
	own, global map[string]string
}

func (i yabootImage) get(key string) (string, bool) {
	value, ok := i.own[key]
	if !ok {
		value, ok = i.global[key]
	}
	return value, ok
}

// id is the label, or else the kernel's name.
func (i yabootImage) id() string {
	if label := i.own["label"]; label != "" {
		return label
	}
	name := i.own["image"]
	if m := onPartition.FindStringSubmatch(name); m != nil {
		name = m[2]
	}
	return path.Base(name)
}

// comment is one behind a value.
var comment = regexp.MustCompile(`\s#.*$`)

// Yaboot reads yaboot.conf, as yaboot.conf(5) describes it: settings, and
// images with settings of their own. The timeout is in tenths of a second.
func Yaboot(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := find("yaboot", v, yabootFiles)
	if err != nil {
		return nil, err
	}
	global := map[string]string{}
	in := global
	var images []yabootImage
	var narrow []yabootImage // of 32 bits
	for _, l := range lines(s.Source, s.text) {
		key, value := s.pair(l)
		if !strings.ContainsAny(l.text, `"'`) {
			value = strings.TrimSpace(comment.ReplaceAllString(value, ""))
		}
		switch key {
		case "image[32bit]":
			in = map[string]string{}
			narrow = append(narrow, yabootImage{l.where, in, global})
			key = "image"
		case "image", "image[64bit]":
			in = map[string]string{}
			images = append(images, yabootImage{l.where, in, global})
			key = "image"
		case "timeout":
			s.Timeout = s.wait(l, value, time.Second/10)
		}
		in[key] = value
	}
	first := "" // is the default without another
	for n, i := range bounded(s, images) {
		ch := choice{
			where: i.where, id: i.id(), cmdline: i.cmdline(), kernel: s.yabootRef(i.own["image"], i, all),
		}
		if n == 0 {
			first = ch.id
		}
		if initrd, ok := i.get("initrd"); ok {
			ch.initrds = []ref{s.yabootRef(initrd, i, all)}
		}
		s.add(ch)
	}
	for _, i := range narrow {
		s.leaveOut(i.where, i.id(), "a kernel of 32 bits")
	}
	if words := strings.Fields(global["default"]); len(words) > 0 {
		first = words[0]
	}
	s.choose(first)
	return s.Config, nil
}

// cmdline is in yaboot's order. initrd-size is about ramdisks of before
// initramfs.
func (i yabootImage) cmdline() string {
	if literal, ok := i.get("literal"); ok {
		return literal
	}
	var words []string
	for _, o := range []struct{ key, before string }{
		{"root", "root="}, {"read-only", "ro"}, {"read-write", "rw"}, {"ramdisk", "ramdisk="}, {"video", "video="},
		{"append", ""},
	} {
		if value, ok := i.get(o.key); ok {
			words = append(words, o.before+value)
		}
	}
	return strings.Join(words, " ")
}

// onPartition is an Open Firmware device, a partition and a path.
var onPartition = regexp.MustCompile(`^.*:(\d*),(.*)$`)

// yabootRef takes a path, or one behind DEVICE:PARTITION. Open Firmware's
// names of devices say nothing here; of partitions with the number those of
// the configuration's disk come first.
func (s *source) yabootRef(name string, i yabootImage, all entry.Volumes) ref {
	number, _ := i.get("partition")
	if m := onPartition.FindStringSubmatch(name); m != nil {
		if name = m[2]; m[1] != "" {
			number = m[1]
		}
	}
	var on []*entry.Volume
	want, err := strconv.Atoi(number)
	for _, v := range append([]*entry.Volume{s.volume}, others(s.volume, all)...) {
		if _, is := v.Partition(); err == nil && is == want {
			on = append(on, v)
		}
	}
	return ref{append(on, s.volume), name}
}
