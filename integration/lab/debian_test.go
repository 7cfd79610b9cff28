// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const hookDir = "../../templates/initramfs"

// TestHookPaths: the guests' initramfs contain what the README tells people to
// install.
func TestHookPaths(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(hookDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range initramfsHooks {
		if want := fmt.Sprintf("install -D -m 755 templates/initramfs/%s /%s\n", h.file, h.path); !strings.Contains(string(b), want) {
			t.Errorf("templates/initramfs/README.md lacks %q", want)
		}
	}
}

// TestHook runs the hook in a temporary directory, with this machine's shells.
// Values are the contents of files; a value that begins with -> is a link, and
// / means a directory.
func TestHook(t *testing.T) {
	const (
		run, list, json = "run/imaboot", "run/imaboot/measurements", "run/imaboot/handover.json"
		dir, link       = "/", "->"
	)
	for _, tt := range []struct {
		name       string
		have, want map[string]string
		says       string
	}{
		{name: "nothing"},
		{
			name: "both",
			have: map[string]string{"imaboot/measurements": "list\x00", "imaboot/handover.json": "{}"},
			want: map[string]string{run: dir, list: "list\x00", json: "{}"},
		},
		{
			name: "empty list",
			have: map[string]string{"imaboot/measurements": "", "imaboot/handover.json": "{}"},
			want: map[string]string{run: dir, list: "", json: "{}"},
		},
		{
			name: "links",
			have: map[string]string{"secret": "s", "imaboot/measurements": link + "../secret", "imaboot/handover.json": link + "none"},
			want: map[string]string{run: dir},
			says: "/imaboot/handover.json is no regular file",
		},
		{
			name: "one is a directory",
			have: map[string]string{"imaboot/measurements": "list", "imaboot/handover.json": dir},
			want: map[string]string{run: dir, list: "list"},
			says: "/imaboot/handover.json is no regular file",
		},
		{
			name: "directory is a link",
			have: map[string]string{"other/measurements": "list", "other/handover.json": "{}", "imaboot": link + "other"},
			says: "/imaboot is no directory",
		},
		{
			name: "directory is a link to nothing",
			have: map[string]string{"imaboot": link + "none"},
			says: "/imaboot is no directory",
		},
		{
			name: "already there",
			have: map[string]string{"imaboot/measurements": "list", "imaboot/handover.json": "{}", list: "old"},
			want: map[string]string{run: dir, list: "old"},
			says: "run/imaboot exists already",
		},
		{
			name: "a link is already there",
			have: map[string]string{"imaboot/measurements": "list", "imaboot/handover.json": "{}", "other": dir, run: link + "../other"},
			want: map[string]string{run: link + "../other"},
			says: "run/imaboot exists already",
		},
	} {
		for _, shell := range [][]string{{"sh"}, {"bash", "--posix"}, {"busybox", "sh"}} {
			if !installed(shell[0]) {
				continue
			}
			t.Run(tt.name+" "+shell[0], func(t *testing.T) {
				root := t.TempDir()
				have := maps.Clone(tt.have)
				if have == nil {
					have = map[string]string{}
				}
				have["kmsg"] = ""
				if have[run] == "" {
					have["run"] = dir
				}
				for name, v := range have {
					path := filepath.Join(root, name)
					err := os.MkdirAll(filepath.Dir(path), 0o755)
					if target, ok := strings.CutPrefix(v, link); ok {
						err = os.Symlink(target, path)
					} else if v == dir {
						err = os.MkdirAll(path, 0o755)
					} else if err == nil {
						err = os.WriteFile(path, []byte(v), 0o644)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				b, err := os.ReadFile(filepath.Join(hookDir, "imaboot.sh"))
				if err != nil {
					t.Fatal(err)
				}
				// Put every path that the hook uses below root.
				text := strings.NewReplacer(
					"/run/imaboot", root+"/run/imaboot", "/imaboot", root+"/imaboot", "/dev/kmsg", root+"/kmsg",
				).Replace(string(b))
				before := tree(t, root, "run")
				// dracut sources the hook, which must not
				// change dracut's umask or end dracut's shell.
				argv := append(shell[1:], "-c", text+"\numask; echo on")
				cmd := exec.Command(shell[0], argv...)
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if umask, after, _ := strings.Cut(string(out), "\n"); strings.HasSuffix(umask, "377") || after != "on\n" {
					t.Errorf("the shell that goes on printed %q", out)
				}
				got := tree(t, root, "run")
				if tt.want == nil && len(before) != len(got) || tt.want != nil && !maps.Equal(got, tt.want) {
					t.Errorf("%q, want %q", got, tt.want)
				}
				if tt.want[run] == dir && before[run] == "" {
					checkModes(t, root, slices.Collect(maps.Keys(got)))
				}
				said, err := os.ReadFile(filepath.Join(root, "kmsg"))
				if err != nil {
					t.Fatal(err)
				}
				if tt.says == "" && len(said) > 0 || !strings.Contains(string(said), tt.says) {
					t.Errorf("it says %q, want %q", said, tt.says)
				}
			})
		}
	}
}

// tree reads everything below a directory, but not the directory itself.
func tree(t *testing.T, root, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		path := filepath.Join(root, name)
		switch {
		case d.IsDir():
			out[name] = "/"
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			out[name] = "->" + target
			return err
		default:
			b, err := os.ReadFile(path)
			out[name] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkModes(t *testing.T, root string, names []string) {
	t.Helper()
	for _, name := range names {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		want := fs.FileMode(0o400)
		if info.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", name, got, want)
		}
	}
}
