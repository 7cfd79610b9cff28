// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loaders

import (
	"cmp"
	"path"
	"regexp"
	"slices"
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

// yabootFlags have no value.
var yabootFlags = []string{"read-only", "read-write", "novideo"}

// comment is one behind a value.
var comment = regexp.MustCompile(`#.*$`)

// wide are what image[…] has, in lower case, for machines of 64 bits: a word
// of SUSE's media, or what a device tree's root is compatible with.
var wide = regexp.MustCompile(`^(?:.*\|)?(?:64-?bit|chrp|ibm,.*|qemu,pseries)(?:\|.*)?$`)

// Yaboot reads yaboot.conf, as yaboot.conf(5) describes it: settings, and
// images with settings of their own, of which the last with a label counts. The
// timeout is in tenths of a second.
func Yaboot(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := find("yaboot", v, yabootFiles)
	if err != nil {
		return nil, err
	}
	global := map[string]string{}
	in := global
	var images []yabootImage
	var strange []yabootImage // for other machines
	for _, l := range lines(s.Source, s.text, true) {
		key, value := s.pair(l)
		if !strings.ContainsAny(l.text, `"'`) {
			value = strings.TrimSpace(comment.ReplaceAllString(value, ""))
		}
		key = strings.ToLower(key)
		machine, isFor := strings.CutPrefix(strings.TrimSuffix(key, "]"), "image[")
		switch {
		case isFor && !wide.MatchString(machine):
			in = map[string]string{}
			strange = append(strange, yabootImage{l.where, in, global})
			key = "image"
		case isFor, key == "image":
			in = map[string]string{}
			images = append(images, yabootImage{l.where, in, global})
			key = "image"
		case key == "timeout":
			s.Timeout = s.wait(l, value, time.Second/10)
		}
		if value != "" && slices.Contains(yabootFlags, key) {
			s.Notef("%s: %s has no value", l.where, key)
			continue
		}
		in[key] = value
	}
	images = bounded(s, slices.DeleteFunc(images, replaced(images)))
	first := "" // is the default without another
	for n, i := range images {
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
	for _, i := range strange {
		s.leaveOut(i.where, i.id(), "it is for other machines")
	}
	if words := strings.Fields(global["default"]); len(words) > 0 {
		first = words[0]
	}
	for _, i := range images {
		if id := i.id(); first != "" && (id == first || i.own["alias"] == first) {
			first = id
			break
		}
	}
	s.choose(first)
	return s.Config, nil
}

// replaced reports whether an image behind another has its label, or the file's
// name of one without, for a label, in any case of letters.
func replaced(images []yabootImage) func(yabootImage) bool {
	last := map[string]string{}
	for _, i := range images {
		if label := i.own["label"]; label != "" {
			last[strings.ToLower(label)] = i.where
		}
	}
	return func(i yabootImage) bool {
		where, is := last[strings.ToLower(cmp.Or(i.own["label"], i.own["image"]))]
		return is && where != i.where
	}
}

// cmdline is in yaboot's order.
func (i yabootImage) cmdline() string {
	if literal, ok := i.get("literal"); ok {
		return literal
	}
	var words []string
	for _, o := range []struct{ key, word string }{
		{"root", "root="}, {"read-only", "ro"}, {"read-write", "rw"}, {"ramdisk", "ramdisk="},
		{"initrd-size", "ramdisk_size="}, {"novideo", "video=ofonly"}, {"append", ""},
	} {
		if value, ok := i.get(o.key); ok {
			words = append(words, o.word+value)
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
