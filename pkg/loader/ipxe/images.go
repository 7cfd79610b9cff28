// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package ipxe

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/loader"
)

// commands are those that decide what is booted. All others fail, as they do in
// an iPXE that was built without them. Commands that ask a user fail at once.
// Commands that would boot something else, or nothing, end the script.
var commands map[string]func(*interpreter, context.Context, *script, []string) error

func init() {
	commands = map[string]func(*interpreter, context.Context, *script, []string) error{
		"boot":      (*interpreter).boot,
		"chain":     (*interpreter).boot,
		"imgexec":   (*interpreter).boot,
		"kernel":    (*interpreter).kernel,
		"imgselect": (*interpreter).kernel,
		"imgload":   (*interpreter).kernel,
		"imgfetch":  (*interpreter).initrd,
		"module":    (*interpreter).initrd,
		"initrd":    (*interpreter).initrd,
		"imgargs":   (*interpreter).imgargs,
		"imgfree":   (*interpreter).imgfree,
		"shim":      (*interpreter).shim,
		"fdt":       (*interpreter).fdt,
		"set":       (*interpreter).set,
		"clear":     (*interpreter).clear,
		"inc":       (*interpreter).inc,
		"show":      (*interpreter).show,
		"isset":     (*interpreter).isset,
		"iseq":      (*interpreter).iseq,
		"goto":      (*interpreter).jump,
		"exit":      (*interpreter).exit,
		"menu":      (*interpreter).menu,
		"item":      (*interpreter).item,
		"choose":    (*interpreter).choose,
		"cpuid":     (*interpreter).cpuid,
		"sanboot":   (*interpreter).leave,
		"poweroff":  (*interpreter).leave,
		"reboot":    (*interpreter).leave,
	}
	// The network is up, and nothing is shown.
	for _, name := range []string{
		"autoconf", "certfree", "certstat", "colour", "console", "cpair", "dhcp", "echo", "fcstat", "ibstat", "ifclose", "ifconf",
		"ifopen", "iflinkwait", "ifstat", "imgstat", "iwstat", "md5sum", "ntp", "route", "sha1sum", "sha256sum", "sha512sum", "sleep", "sync",
	} {
		commands[name] = func(*interpreter, context.Context, *script, []string) error { return nil }
	}
}

// valued maps options that have a value to their names. The same letter has
// different meanings in different commands.
type valued map[string]string

var (
	ofImages = valued{"--name": "name", "-n": "name", "--timeout": "timeout", "-t": "timeout"}
	ofItem   = valued{"--menu": "menu", "-m": "menu", "--form": "form", "-f": "form", "--key": "key", "-k": "key"}
	ofChoose = valued{
		"--menu": "menu", "-m": "menu", "--default": "default", "-d": "default",
		"--timeout": "timeout", "-t": "timeout", "--retimeout": "retimeout", "-r": "retimeout",
	}
)

// options splits off the options in front of the arguments. It returns them by
// name or letter, with their values.
func options(args []string, valued valued) (map[string]string, []string) {
	found := map[string]string{}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		name, value, inline := strings.Cut(arg, "=")
		key, hasValue := valued[name]
		switch {
		case hasValue && inline:
			found[key] = value
		case hasValue && len(args) > 0:
			found[key], args = args[0], args[1:]
		case strings.HasPrefix(arg, "--"):
			found[strings.TrimPrefix(arg, "--")] = ""
		default:
			for _, letter := range arg[1:] {
				found[string(letter)] = ""
			}
		}
	}
	return found, args
}

func has(options map[string]string, names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := options[n]; return ok })
}

func (x *interpreter) find(name string) *image {
	i := slices.IndexFunc(x.images, func(m image) bool { return m.name == name })
	if i < 0 {
		return nil
	}
	return &x.images[i]
}

// resolve returns the URL that an argument means.
func (s *script) resolve(arg string) (*url.URL, error) {
	u, err := s.url.Parse(arg)
	if err != nil || !fetch.Loadable(u) {
		return nil, failed("no URI that can be loaded: %s", entry.Printable(arg))
	}
	return u, nil
}

// fetch adds an image. Like iPXE it keeps images of the same name.
func (x *interpreter) fetch(s *script, opts map[string]string, args []string) (*image, error) {
	if len(args) == 0 {
		return nil, failed("no URI")
	}
	u, err := s.resolve(args[0])
	if err != nil {
		return nil, err
	}
	m := image{name: opts["name"], url: u.String(), args: strings.Join(args[1:], " ")}
	if m.name == "" {
		m.name = path.Base(u.Path)
		if loader.CheckText([]byte(m.name)) != nil || strings.Contains(m.name, "\n") {
			m.name = path.Base(u.EscapedPath()) // entries are called so
		}
	}
	if len(x.images) == maxImages {
		return nil, errors.New("too many images")
	}
	x.images = append(x.images, m)
	return &x.images[len(x.images)-1], nil
}

// acquire returns the image of a name, or adds one. The arguments become those
// of the image; without any it keeps its own.
func (x *interpreter) acquire(s *script, args []string) (m *image, arguments []string, err error) {
	opts, args := options(args, ofImages)
	if len(args) > 0 {
		m = x.find(args[0])
	}
	if m == nil {
		if m, err = x.fetch(s, opts, args); err != nil {
			return nil, nil, err
		}
		return m, args[1:], nil
	}
	if opts["name"] != "" {
		m.name = opts["name"]
	}
	if len(args) > 1 {
		m.args = strings.Join(args[1:], " ")
	}
	return m, args[1:], nil
}

// kernel selects an image to boot.
func (x *interpreter) kernel(_ context.Context, s *script, args []string) error {
	m, _, err := x.acquire(s, args)
	if err != nil {
		return err
	}
	for i := range x.images {
		x.images[i].selected = false
	}
	m.selected, m.kernel = true, true
	return nil
}

func (x *interpreter) initrd(_ context.Context, s *script, args []string) error {
	opts, args := options(args, ofImages)
	_, err := x.fetch(s, opts, args)
	return err
}

// imgargs replaces an image's arguments, which may become empty.
func (x *interpreter) imgargs(_ context.Context, s *script, args []string) error {
	m, arguments, err := x.acquire(s, args)
	if err == nil {
		m.args = strings.Join(arguments, " ")
	}
	return err
}

// imgfree removes the named images, or all.
func (x *interpreter) imgfree(_ context.Context, _ *script, args []string) error {
	_, args = options(args, ofImages)
	x.images = slices.DeleteFunc(x.images, func(m image) bool { return len(args) == 0 || slices.Contains(args, m.name) })
	return nil
}

// shim names a program that a kernel is started by under Secure Boot. Kernels are
// started without one here; an image that the command names is no initrd.
func (x *interpreter) shim(_ context.Context, _ *script, args []string) error {
	_, args = options(args, ofImages)
	if len(args) > 1 {
		return failed("too many arguments")
	}
	if len(args) == 1 {
		if m := x.find(args[0]); m != nil {
			m.hidden = true
		}
	}
	return nil
}

// fdt names the device tree, or none. iPXE for x86 has no such command.
func (x *interpreter) fdt(_ context.Context, s *script, args []string) error {
	opts, rest := options(args, ofImages)
	switch {
	case x.Arch == "amd64" || x.Arch == "386":
		return failed("no such command here")
	case len(rest) > 1:
		return failed("too many arguments")
	}
	for i := range x.images {
		x.images[i].tree = false
	}
	if len(rest) == 0 {
		return nil
	}
	m := x.find(rest[0])
	if m == nil {
		var err error
		if m, err = x.fetch(s, opts, rest); err != nil {
			return err
		}
	}
	m.tree, m.hidden = true, true
	return nil
}

// boot boots an image, or the file of a URI. A script runs in place of the
// command; any other file is a kernel.
func (x *interpreter) boot(ctx context.Context, s *script, args []string) error {
	opts, rest := options(args, ofImages)
	if len(rest) == 0 {
		return x.startSelected()
	}
	if x.find(rest[0]) != nil {
		m, _, err := x.acquire(s, args)
		if err != nil {
			return err
		}
		return x.start(m)
	}
	u, err := s.resolve(rest[0])
	if err != nil {
		return err
	}
	if x.files == maxFiles || s.depth == maxDepth {
		return errors.New("too many scripts, or too deep in one another")
	}
	x.files++
	text, err := x.Read(ctx, u.String())
	switch {
	case ctx.Err() != nil:
		return err
	case errors.Is(err, fetch.ErrTooBig) || err == nil && loader.CheckText(text) != nil:
		m, err := x.fetch(s, opts, rest)
		if err != nil {
			return err
		}
		return x.start(m)
	case err != nil:
		return failed("%w", err)
	case !IsScript(text):
		return failed("neither a script nor a kernel")
	}
	s.exited = has(opts, "replace", "r")
	return x.run(ctx, u, text, s.depth+1)
}

func (x *interpreter) startSelected() error {
	i := slices.IndexFunc(x.images, func(m image) bool { return m.selected })
	if i < 0 {
		return failed("no image is selected")
	}
	return x.start(&x.images[i])
}

// leave is for commands that boot another system, or none.
func (x *interpreter) leave(context.Context, *script, []string) error {
	return errors.New("boots no Linux that is offered here")
}

// start makes the entry. All images that are no kernels are its initrds.
func (x *interpreter) start(kernel *image) error {
	if u, err := url.Parse(kernel.url); err == nil && loader.IsProgram(u.Path) {
		return fmt.Errorf("%s is no Linux kernel", entry.Printable(kernel.name))
	}
	e := entry.Entry{ID: kernel.name, Title: x.title, Kernel: entry.File{Name: kernel.url}, Cmdline: kernel.args}
	for i := range x.images {
		m := &x.images[i]
		if m.tree {
			e.DeviceTree = &entry.File{Name: m.url}
		}
		if m != kernel && !m.kernel && !m.hidden {
			// iPXE puts such an image as a file into an archive that it makes.
			if name, _, _ := strings.Cut(m.args, " "); strings.Trim(name, "/") != "" {
				return fmt.Errorf("image %s has a name for an archive, which is not supported", entry.Printable(m.name))
			}
			e.Initrds = append(e.Initrds, entry.File{Name: m.url})
		}
	}
	x.config.Entries = []entry.Entry{e}
	x.booted = true
	return nil
}
