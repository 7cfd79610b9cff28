// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

// onPartition matches GRUB's name of a partition, for those partition tables
// whose entries GRUB and Linux number alike (grub.info, "Device syntax").
// Commas in the name of a disk follow a backslash.
var onPartition = regexp.MustCompile(`^(?:[^,\\]|\\.)+,(?:msdos|gpt|apple)?([1-9][0-9]{0,8})$`)

// volume returns the volume that a name of a device in GRUB means. The
// interpreter gives volumes the names of Linux. Only the firmware knows GRUB's
// own names of disks: they are taken for the disk that the configuration is on.
func (in *interpreter) volume(device string) *entry.Volume {
	if device == "" {
		return nil
	}
	if v := in.volumes.Find(func(v *entry.Volume) bool { return v.Device == device }); v != nil {
		return v
	}
	m := onPartition.FindStringSubmatch(device)
	if m == nil {
		return nil
	}
	disk, _ := in.start.Partition()
	number, _ := strconv.Atoi(m[1]) // a few digits, which are always a number
	return in.volumes.Partition(disk, number)
}

// root returns the volume of names without a device, or with a device that this
// machine does not have.
func (in *interpreter) root() *entry.Volume {
	if v := in.volume(in.environment.get("root")); v != nil {
		return v
	}
	return in.start
}

// file resolves a name in GRUB: /PATH or (DEVICE)/PATH.
func (in *interpreter) file(name string) (entry.File, bool) {
	v := in.root()
	if rest, ok := strings.CutPrefix(name, "("); ok {
		var device string
		if device, name, ok = strings.Cut(rest, ")"); !ok {
			return entry.File{}, false
		}
		if named := in.volume(device); named != nil {
			v = named
		}
	}
	return entry.File{Volume: v, Name: name}, strings.HasPrefix(name, "/")
}

// runFile executes a configuration file. If the file does not exist, the status
// is 0 as well, as in GRUB.
func (in *interpreter) runFile(at position, name string) (int, error) {
	f, ok := in.file(name)
	if !ok {
		in.notef(at, "%s is no file", printable(name))
		return 0, nil
	}
	text, err := f.Volume.ReadConfig(f.Name)
	if err != nil {
		in.notef(at, "%v", err)
		return 0, nil
	}
	defer func() { in.files-- }()
	if in.files++; in.files > maxFiles {
		return 1, in.stop(at, "more than %d files are read by one another", maxFiles)
	}
	if err := in.spend(at, len(text)); err != nil {
		return 1, err
	}
	file, directory := in.environment.lookup("config_file"), in.environment.lookup("config_directory")
	in.locate("config_file", "("+f.Volume.Device+")"+f.Name)
	in.locate("config_directory", "("+f.Volume.Device+")"+path.Dir(f.Name))
	defer func() {
		in.environment.variables["config_file"], in.environment.variables["config_directory"] = file, directory
	}()
	return 0, in.runText(f.String(), string(text))
}

func (in *interpreter) locate(name, text string) {
	in.environment.put(name, text)
	in.environment.export(name)
}

// runText executes a text line by line, as GRUB reads a file. A mistake costs
// its line, or the block that it is in. A return ends its line, and after the
// end of the file also the function that reads the file.
func (in *interpreter) runText(file, text string) error {
	p := &parser{lexer: newLexer(text), file: file, read: &in.words}
	for {
		b, err := p.line()
		if errors.Is(err, errWords) {
			return in.stop(position{file, p.wrong}, "%v", err)
		}
		if err != nil {
			in.notef(position{file, p.wrong}, "%v", err)
			continue
		}
		if len(b) == 0 {
			return nil
		}
		if err := b.run(in); err != nil {
			return err
		}
	}
}

func sourceCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) != 1 {
		return 1, nil
	}
	return in.runFile(c.at, c.args[0])
}

// configFileCommand reads another configuration, with the exported variables,
// and shows its menu.
func configFileCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) != 1 {
		return 1, nil
	}
	outer, menu := in.environment, in.menu
	in.environment = outer.over(true)
	in.menu = newMenu(in.environment)
	status, err := in.runFile(c.at, c.args[0])
	err = in.show(err)
	in.environment, in.menu = outer, menu
	return status, err
}

// normalCommand reads a configuration as if it were the first one.
func normalCommand(in *interpreter, c *invocation) (int, error) {
	name := in.environment.get("prefix") + "/grub.cfg"
	if len(c.args) > 0 {
		name = c.args[0]
	}
	status, err := in.runFile(c.at, name)
	return status, in.show(err)
}

// show makes a menu the one that the boot continues from, unless a menu was
// shown already. What was found before a bound was exceeded is kept.
func (in *interpreter) show(err error) error {
	if in.shown != nil || len(in.menu.items) == 0 || errors.Is(err, errBoot) {
		return err
	}
	in.shown = in.menu
	if err == nil {
		err = errShown
	}
	return err
}
