// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader/grub"
)

// recorder is what grub-emu reads in place of grub.cfg. grub-emu has no linux
// command, so a function prints what it would get. The menu does not wait.
const recorder = `enable_progress_indicator=0
prefix=(%[1]s)/boot/grub
root=%[1]s
export prefix root
function record {
  r="@["
  for word in "$@"; do r="$r$word|"; done
  echo "$r]@"
}
function linux { record linux "$@"; }
function initrd { record initrd "$@"; }
source $prefix/grub.cfg
timeout=0
`

var (
	recorded = regexp.MustCompile(`(?s)@\[(linux|initrd)\|(.*?)\|\]@`)
	onDevice = regexp.MustCompile(`^\([^)]*\)`)
)

// realGRUB boots the default of /boot/grub/grub.cfg in grub-emu, from an image
// that it may write to. It returns the arguments of linux and of the last
// initrd, without devices. The file system is on GRUB's hd0, or on a partition
// of it.
func realGRUB(t *testing.T, image, device string) (linux, initrd []string) {
	t.Helper()
	work := t.TempDir()
	writeFile(t, work, "recorder/grub.cfg", fmt.Sprintf(recorder, device))
	makeImage(t, filepath.Join(work, "recorder"), filepath.Join(work, "hd1"))
	writeFile(t, work, "device.map", fmt.Sprintf("(hd0) %s\n(hd1) %s\n", image, filepath.Join(work, "hd1")))
	screen := screenOf(t, exec.Command("grub-emu", "-m", filepath.Join(work, "device.map"), "-r", "hd1", "-d", "/"))
	// GRUB breaks long lines with "\n\r".
	for _, m := range recorded.FindAllStringSubmatch(strings.ReplaceAll(screen, "\n\r", ""), -1) {
		words := strings.Split(m[2], "|")
		for i := range words {
			words[i] = onDevice.ReplaceAllString(words[i], "")
		}
		if m[1] == "linux" {
			linux, initrd = words, nil
		} else {
			initrd = words
		}
	}
	if len(linux) == 0 {
		t.Fatalf("grub-emu boots nothing:\n%s", screen)
	}
	return linux, initrd
}

// envBlock returns a GRUB environment block with one variable.
func envBlock(variable string) string {
	s := "# GRUB Environment Block\n" + variable + "\n"
	return s + strings.Repeat("#", 1024-len(s))
}

func makeImage(t *testing.T, dir, image string) {
	t.Helper()
	if out, err := exec.Command("mke2fs", "-q", "-t", "ext2", "-d", dir, image, "4M").CombinedOutput(); err != nil {
		t.Fatalf("mke2fs: %v: %s", err, out)
	}
}

// screenOf returns what GRUB prints until it gives up because nothing is
// loaded, or because it has no menu. After a mistake in the configuration, GRUB
// waits for a key.
func screenOf(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Env = append(os.Environ(), "TERM=dumb")
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	var seen []byte
	pressed := 0
	for buf := make([]byte, 4096); ; {
		n, err := out.Read(buf)
		seen = append(seen, buf[:n]...)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrClosed) {
				t.Error(err)
			}
			break
		}
		if bytes.Contains(seen, []byte("Failed to boot both")) || bytes.Contains(seen, []byte("grub> ")) {
			_ = cmd.Process.Kill()
		} else if c := bytes.Count(seen, []byte("Press any key")); c > pressed {
			pressed = c
			_, _ = keys.Write([]byte("\n"))
		}
	}
	_ = cmd.Wait() // it was killed
	if !timer.Stop() {
		t.Fatalf("grub-emu does not end:\n%s", seen)
	}
	return string(seen)
}

// grubConfiguration returns a configuration from the parser's tests, with this
// default. A graphical terminal would hide the output from the test.
func grubConfiguration(t *testing.T, name, def string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "pkg", "loader", "grub", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("@DEFAULT@", def, "terminal_output gfxterm", "terminal_output console").Replace(string(b))
}

// loaded matches the files that a configuration loads.
var loaded = regexp.MustCompile(`(?m)^\s*(?:linux|initrd)\s+(/[^\s;]+)\s`)

// TestRealGRUB: the entry that imaboot offers first is what GRUB itself boots.
func TestRealGRUB(t *testing.T) {
	const two = "menuentry A --id a { linux /k a \"$x\"; }\nsubmenu S --id s {\n menuentry B --id b { linux /k b $x; initrd /i; }\n menuentry C --id c { linux /k c $default $chosen; }\n}\n"
	for name, script := range map[string]string{
		"first":            two,
		"path of ids":      "default='s>c'\n" + two,
		"path of numbers":  "default='1>0'\n" + two,
		"exported":         "x=1; export x; default='s>b'\n" + two,
		"not exported":     "x=1; default='s>b'\n" + two,
		"unknown command":  "if nosuch; then default='s>c'; fi\n" + two,
		"mistake":          "default='s>b'\nfi\nx=1; export x\n" + two,
		"function":         "function f { shift; x=\"$#$1\"; return 2; }\nf a 'b  c'; x=$x$?\n" + two,
		"eval and regexp":  "eval 'regexp -s 1:x \"^(.)\" zab'; export x; default='1>0'\n" + two,
		"wildcard":         "for f in /boot/v*; do x=$x,$f; done; export x; default='1>0'\n" + two,
		"saved":            "load_env; default=$saved_entry\n" + two,
		"Debian":           grubConfiguration(t, "debian.cfg", "0"),
		"Debian's submenu": grubConfiguration(t, "debian.cfg", "1>2"),
		"Debian, by id":    grubConfiguration(t, "debian.cfg", "gnulinux-advanced-1b2c>gnulinux-6.1.0-28-powerpc64le-advanced-1b2c"),
		"Debian, saved":    grubConfiguration(t, "debian.cfg", "${saved_entry}"),
		"Ubuntu":           grubConfiguration(t, "ubuntu.cfg", ""),
		"SUSE":             grubConfiguration(t, "sles.cfg", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			files := map[string]string{
				"boot/grub/grub.cfg": script, "boot/grub/grubenv": envBlock("saved_entry=1>1"),
				"k": "", "i": "", "boot/vmlinuz-1": "", "boot/vmlinuz-2": "",
			}
			for _, m := range loaded.FindAllStringSubmatch(script, -1) {
				files[m[1]] = ""
			}
			for name, text := range files {
				writeFile(t, dir, name, text)
			}
			v, err := entry.OpenVolume(dir, "hd0")
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			c, err := grub.Parse(v, entry.Volumes{v})
			if err != nil || c.Default < 0 {
				t.Fatal(c, err)
			}
			var got [2][]string
			e := c.Entries[c.Default]
			got[0] = []string{e.Kernel.Name, e.Cmdline}
			for _, f := range e.Initrds {
				got[1] = append(got[1], f.Name)
			}
			image := filepath.Join(t.TempDir(), "image")
			makeImage(t, dir, image)
			linux, initrd := realGRUB(t, image, "hd0")
			for i, w := range linux {
				// No word in these configurations has a
				// backslash or a quotation mark.
				if strings.Contains(w, " ") {
					linux[i] = `"` + w + `"`
				}
			}
			want := [2][]string{{linux[0], strings.Join(linux[1:], " ")}, initrd}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
