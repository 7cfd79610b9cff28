// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package yaboot reads yaboot.conf, the configuration of the loader yaboot for
// Open Firmware.
package yaboot

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
)

// files are where yaboot looks, and where installation media have the file.
var files = []string{
	"etc/yaboot.conf", "yaboot.conf", "boot/etc/yaboot.conf", "suseboot/yaboot.cnf", "ppc/ppc64/yaboot.conf",
}

// An image has its own settings. For those that it lacks, the global ones apply.
type image struct {
	where       string
	own, global map[string]string
}

func (i image) get(key string) (string, bool) {
	value, ok := i.own[key]
	if !ok {
		value, ok = i.global[key]
	}
	return value, ok
}

// id is the label, or else the kernel's name.
func (i image) id() string {
	if label := i.own["label"]; label != "" {
		return label
	}
	name := i.own["image"]
	if m := onPartition.FindStringSubmatch(name); m != nil {
		name = m[2]
	}
	return path.Base(name)
}

// flags are settings without a value.
var flags = []string{"read-only", "read-write", "novideo"}

// comment matches a comment behind a value.
var comment = regexp.MustCompile(`#.*$`)

// wide matches what image[…] names, in lower case, on 64-bit machines: a word
// of SUSE's media, or what the root of the device tree is compatible with.
var wide = regexp.MustCompile(`^(?:.*\|)?(?:64-?bit|chrp|ibm,.*|qemu,pseries)(?:\|.*)?$`)

// A reader collects the images of one configuration.
type reader struct {
	*loader.Source
	all    entry.Volumes
	global map[string]string
	images []image
	// strange are images for other machines.
	strange []image
}

// Parse reads a volume's yaboot.conf, as yaboot.conf(5) describes it: global
// settings, and images with settings of their own. Of images with the same
// label the last one counts. The timeout is in tenths of a second.
//
// An error that wraps fs.ErrNotExist means that the volume has no such file;
// all errors wrap entry.ErrConfig.
func Parse(v *entry.Volume, all entry.Volumes) (*entry.Config, error) {
	s, err := loader.Open("yaboot", v, files)
	if err != nil {
		return nil, err
	}
	r := &reader{Source: s, all: all, global: map[string]string{}}
	r.read()
	r.images = loader.Bounded(s.Config, slices.DeleteFunc(r.images, replaced(r.images)))
	for _, i := range r.images {
		r.add(i)
	}
	for _, i := range r.strange {
		s.LeaveOut(i.where, i.id(), "it is for other machines")
	}
	s.Choose(r.first())
	return s.Config, nil
}

// read takes the lines of the file.
func (r *reader) read() {
	in := r.global
	for _, l := range loader.Lines(r.Config.Source, r.Text, true) {
		key, value := loader.Pair(r.Config, l)
		if !strings.ContainsAny(l.Text, `"'`) {
			value = strings.TrimSpace(comment.ReplaceAllString(value, ""))
		}
		key = strings.ToLower(key)
		machine, isFor := strings.CutPrefix(strings.TrimSuffix(key, "]"), "image[")
		switch {
		case isFor && !wide.MatchString(machine):
			in, key = map[string]string{}, "image"
			r.strange = append(r.strange, image{l.Where, in, r.global})
		case isFor, key == "image":
			in, key = map[string]string{}, "image"
			r.images = append(r.images, image{l.Where, in, r.global})
		case key == "timeout":
			r.Timeout = loader.Timeout(r.Config, l, value, time.Second/10)
		}
		if value != "" && slices.Contains(flags, key) {
			r.Notef("%s: %s has no value", l.Where, key)
			continue
		}
		in[key] = value
	}
}

// add makes an entry of an image.
func (r *reader) add(i image) {
	ch := loader.Choice{Where: i.where, ID: i.id(), Cmdline: i.cmdline(), Kernel: r.file(i.own["image"], i)}
	if initrd, ok := i.get("initrd"); ok {
		ch.Initrds = []loader.Ref{r.file(initrd, i)}
	}
	r.Add(ch)
}

// first is the ID of the default: the image that the setting names by its
// label or alias, or else the first one.
func (r *reader) first() string {
	first := ""
	if len(r.images) > 0 {
		first = r.images[0].id()
	}
	if words := strings.Fields(r.global["default"]); len(words) > 0 {
		first = words[0]
	}
	for _, i := range r.images {
		if id := i.id(); first != "" && (id == first || i.own["alias"] == first) {
			return id
		}
	}
	return first
}

// replaced returns a function that reports whether a later image has an
// image's label, in any case of letters. The label of an image without one is
// its file's name.
func replaced(images []image) func(image) bool {
	last := map[string]string{}
	for _, i := range images {
		if label := i.own["label"]; label != "" {
			last[strings.ToLower(label)] = i.where
		}
	}
	return func(i image) bool {
		where, is := last[strings.ToLower(cmp.Or(i.own["label"], i.own["image"]))]
		return is && where != i.where
	}
}

// cmdline is the command line, in the order in which yaboot makes it.
func (i image) cmdline() string {
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

// onPartition matches an Open Firmware device, a partition and a path.
var onPartition = regexp.MustCompile(`^.*:(\d*),(.*)$`)

// file takes a path, or DEVICE:PARTITION,PATH. Names of Open Firmware's devices
// cannot be resolved here. Of the partitions with that number those on the
// configuration's disk come first.
func (r *reader) file(name string, i image) loader.Ref {
	number, _ := i.get("partition")
	if m := onPartition.FindStringSubmatch(name); m != nil {
		if name = m[2]; m[1] != "" {
			number = m[1]
		}
	}
	var on []*entry.Volume
	want, err := strconv.Atoi(number)
	for _, v := range append([]*entry.Volume{r.Volume}, loader.Others(r.Volume, r.all)...) {
		if _, is := v.Partition(); err == nil && is == want {
			on = append(on, v)
		}
	}
	return loader.Ref{On: append(on, r.Volume), Name: name}
}
