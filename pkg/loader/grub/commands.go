// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strconv"
	"strings"
)

// An invocation is one of GRUB's commands with its words.
type invocation struct {
	name string
	args []string
	body []block
	at   position
}

// A builtin returns the command's status; an error ends the whole script.
type builtin func(*interpreter, *invocation) (int, error)

// builtins are the commands that decide what is booted.
func builtins() map[string]builtin {
	return map[string]builtin{
		"true":            func(*interpreter, *invocation) (int, error) { return 0, nil },
		"false":           func(*interpreter, *invocation) (int, error) { return 1, nil },
		"test":            testCommand,
		"[":               testCommand,
		"set":             setCommand,
		"unset":           unsetCommand,
		"export":          exportCommand,
		"load_env":        loadEnvCommand,
		"source":          sourceCommand,
		".":               sourceCommand,
		"configfile":      configFileCommand,
		"normal":          normalCommand,
		"search":          searchCommand,
		"search.file":     searchByCommand,
		"search.fs_label": searchByCommand,
		"search.fs_uuid":  searchByCommand,
		"menuentry":       menuEntryCommand,
		"submenu":         menuEntryCommand,
		"blscfg":          blsCommand,
		"bls_import":      blsCommand,
		"linux":           linuxCommand,
		"linux16":         linuxCommand,
		"linuxefi":        linuxCommand,
		"initrd":          initrdCommand,
		"initrd16":        initrdCommand,
		"initrdefi":       initrdCommand,
		"devicetree":      deviceTreeCommand,
		"boot":            bootCommand,
		"exit":            leaveCommand,
		"reboot":          leaveCommand,
		"halt":            leaveCommand,
		"break":           breakCommand,
		"continue":        breakCommand,
		"return":          returnCommand,
		"shift":           shiftCommand,
		"setparams":       setParametersCommand,
		"eval":            evalCommand,
		"regexp":          regexpCommand,
		"probe":           probeCommand,
	}
}

// ignored commands succeed and have no effect here. A function of the same name
// takes precedence.
var ignored = map[string]bool{
	"background_color": true, "background_image": true, "badram": true, "btrfs-mount-subvol": true, "cat": true,
	"clear": true, "cryptomount": true, "cutmem": true, "decrement": true, "echo": true,
	"fwsetup": true, "gptsync": true, "increment": true, "insmod": true, "keymap": true, "list_env": true, "loadfont": true, "ls": true, "lsmod": true,
	"nativedisk": true, "password": true, "password_pbkdf2": true, "play": true, "rmmod": true, "save_env": true,
	"serial": true, "sleep": true, "terminal_input": true, "terminal_output": true, "terminfo": true,
	"videoinfo": true, "videomode": true,
}

// unavailable commands fail here. In GRUB their status varies: they ask a
// person or a machine, examine a file, or prepare to boot something other
// than Linux.
var unavailable = map[string]bool{
	"appleloader": true, "chainloader": true, "cmostest": true, "crc": true, "file": true, "hashsum": true, "md5sum": true,
	"net_get_dhcp_option": true, "sha1sum": true, "sha256sum": true, "sha512sum": true, "extract_legacy_entries_configfile": true, "extract_legacy_entries_source": true,
	"extract_syslinux_entries_configfile": true, "extract_syslinux_entries_source": true, "kfreebsd": true, "knetbsd": true,
	"kopenbsd": true, "keystatus": true, "legacy_configfile": true, "legacy_initrd": true, "legacy_kernel": true, "legacy_source": true,
	"loopback": true, "module": true, "module2": true, "multiboot": true, "multiboot2": true, "net_bootp": true, "net_bootp6": true,
	"net_dhcp": true, "net_nslookup": true, "ntldr": true, "read": true, "smbios": true, "syslinux_configfile": true,
	"syslinux_source": true, "verify_detached": true, "xnu_kernel": true, "xnu_kernel64": true,
}

func setCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) == 0 {
		return 0, nil
	}
	name, text, ok := strings.Cut(c.args[0], "=")
	if ok {
		in.set(name, text)
	}
	return flag(ok), nil
}

func unsetCommand(in *interpreter, c *invocation) (int, error) {
	if len(c.args) > 0 {
		in.environment.unset(c.args[0])
	}
	return flag(len(c.args) > 0), nil
}

func exportCommand(in *interpreter, c *invocation) (int, error) {
	for _, name := range c.args {
		in.environment.export(name)
	}
	return flag(len(c.args) > 0), nil
}

func breakCommand(in *interpreter, c *invocation) (int, error) {
	n := 1
	if len(c.args) > 0 {
		var err error
		if n, err = strconv.Atoi(c.args[0]); err != nil || n < 1 {
			return 1, nil
		}
	}
	in.breaks, in.goesOn = min(n, in.loops), c.name == "continue"
	return 0, nil
}

func bootCommand(in *interpreter, _ *invocation) (int, error) {
	if in.target.kernel == nil {
		return 1, nil
	}
	return 0, errBoot
}

func leaveCommand(*interpreter, *invocation) (int, error) { return 0, errLeave }
