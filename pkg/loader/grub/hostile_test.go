// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader"
	"github.com/imaboot/imaboot/pkg/loader/internal/grubenv"
)

func TestTimeout(t *testing.T) {
	for script, want := range map[string]int{
		"echo": -2, "timeout=5": 5, "set timeout=0": 0, "timeout=-1": -1, "timeout=0x10": 16, "timeout=": -1, "timeout=soon": -1,
		"timeout=5; unset timeout":                -2,
		"timeout=2; timeout_style=hidden":         2,
		"timeout=99999999999999999999999999":      1<<31 - 1,
		"export timeout; timeout=1; configfile /": 1,
	} {
		v := open(t, "sda1", "", "", map[string]string{"grub/grub.cfg": script})
		c, err := Parse(v, nil)
		if err != nil || seconds(c) != want {
			t.Errorf("%s: %d, want %d: %v", script, seconds(c), want, err)
		}
	}
}

// TestMistakes: a mistake costs its line or block, and is noted.
func TestMistakes(t *testing.T) {
	const a, b = "menuentry A { linux /k; }\n", "menuentry B { linux /k; }\n"
	for name, test := range map[string]struct {
		wrong, note string
		rest        bool
	}{
		"quote":            {"x='a\nb\n", `2: a quotation mark has no second`, false},
		"double quote":     {"x=a; y=\"a\nb\n", `2: a quotation mark has no second`, false},
		"translated quote": {`x=$"a\"` + "\n", `2: a quotation mark has no second`, false},
		"escaped quote":    {`x="a\"` + "\n", `2: a quotation mark has no second`, false},
		"opening brace":    {"menuentry C {\nlinux /k\n", `2: what begins here has no end`, false},
		"closing brace":    {"}\n", `2: "}" is not expected`, true},
		"if":               {"if true; then\n", `2: what begins here has no end`, false},
		"fi":               {"fi\n", `2: "fi" is not expected`, true},
		"then":             {"if true; fi\n", `2: "fi" is not expected`, true},
		"nothing in if":    {"if true; then fi\n", `2: "fi" is not expected`, true},
		"empty block":      {"menuentry C {}\n", `2: "}" is not expected`, true},
		"after block":      {"menuentry C { linux /k; } x\n", `2: "x" is not expected`, true},
		"pipe":             {"x=1 | y=2\n", `2: "|" is not expected`, true},
		"and":              {"true && x=1\n", `2: "&" is not expected`, true},
		"redirection":      {"echo > /x\n", `2: ">" is not expected`, true},
		"semicolons":       {"true;; false\n", `2: ";" is not expected`, true},
		"variable":         {"x=${a\n", `2: $ has no name of a variable`, true},
		"no variable":      {"x=\"$\"\n", `2: $ has no name of a variable`, true},
		"for":              {"for in x; do true; done\n", `2: "in" is not expected`, true},
		"for 1":            {"for 1 in x; do true; done\n", `2: "1" is not expected`, true},
		"for if":           {"for if in x; do true; done\n", `2: "if" is not expected`, true},
		"function 1":       {"function 1 { true; }\n", `2: "1" is not expected`, true},
		"brackets":         {"echo [[ x\n", `2: "[[" is not expected`, true},
		"eval":             {"eval 'true\n}'\n", `3: "}" is not expected`, true},
		"eval's end":       {"x='\\'; eval $x\n", `2: a backslash has nothing behind it`, true},
		"for a-b":          {"for a-b in x; do true; done\n", `2: "a-b" is not expected`, true},
		"for without do":   {"for a in x; done\n", `2: "done" is not expected`, true},
		"for without in":   {"for a x; done\n", `2: "x" is not expected`, true},
		"function":         {"function a-b { true; }\n", `2: "a-b" is not expected`, true},
		"function's block": {"function f true\n", `2: "true" is not expected`, true},
		"function in if":   {"if true; then function f { true; }; fi\n", `2: "function" is not expected`, true},
		"NUL":              {"x=a\x00b\n", `2: "\x00" is not expected`, true},
		"blocks":           {strings.Repeat("if true; then ", 200) + "\n", `2: more than 100 blocks are nested`, true},
		"long word":        {"} " + "\n}" + strings.Repeat("x", 1000) + "\n", `2: "}" is not expected`, true},
		"long keyword":     {"for " + strings.Repeat("-", 1000) + " in x\n", `2: "` + strings.Repeat("-", 40) + `" is not expected`, true},
		"number":           {"blscfg\n", "2: blscfg: unusable loader configuration: sda1: no loader/entries/*.conf: file does not exist", true},
		"file":             {"source x\x1b[2J\n", `2: x\x1b[2J is no file`, true},
		"regexp":           {"regexp '(a)\\1' a\n", "2: regexp: (a)\\1 is not understood", true},
		"arguments":        {"source; configfile; load_env -f; search; search -u; search.file; linux; initrd; devicetree; export; unset; set x; break x; cryptomount\n", ``, true},
		"no file":          {"load_env -f x\n", `2: unusable loader configuration: x is no file`, true},
		"no block":         {"load_env -f /k\n", `2: sda1:/k: unusable loader configuration: no environment block`, true},
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda1", "", "", map[string]string{"grub/grub.cfg": a + test.wrong + b, "k": ""})
			c, err := Parse(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimPrefix(strings.Join(c.Notes, "\n"), "sda1:/grub/grub.cfg"); strings.TrimPrefix(strings.Split(got, "\n")[0], ":") != test.note {
				t.Error(got)
			}
			if got := len(c.Entries) == 2 && c.Entries[1].Title == "B"; got != test.rest || c.Default != 0 {
				t.Error(lines(c))
			}
		})
	}
}

// TestBounds: what was found before a bound is exceeded is kept.
func TestBounds(t *testing.T) {
	for name, test := range map[string]struct{ script, note string }{
		"loop":             {"while true; do true; done", "2: more than 100000 commands"},
		"loop of nothing":  {"while true; do $none; done", "2: more than 100000 commands"},
		"for":              {"for i in 1 2; do for i in 1 2; do while true; do break; done; continue; done; done; until false; do x=1; done", "2: more than 100000 commands"},
		"loop in entry":    {"menuentry B { until false; do true; done; }", "2: more than 100000 commands"},
		"itself":           {"source /grub/grub.cfg", "2: more than 32 files are read by one another"},
		"another":          {"source /cycle", "1: more than 32 files are read by one another"},
		"itself, anew":     {"configfile /grub/grub.cfg", "2: more than 32 files are read by one another"},
		"itself as normal": {"normal", "2: more than 32 files are read by one another"},
		"itself by entry":  {"menuentry B { configfile /grub/grub.cfg; }", "2: more than 32 menus are nested"},
		"many files":       {"while true; do source /big; done", "2: more than 4194304 bytes are read or made"},
		"many words":       {"function f {\n" + strings.Repeat("a b c d e f g h\n", 60_000) + "}", "32770: more than 262144 words"},
		"many blocks":      {"while true; do load_env -f /big; done", "2: more than 4194304 bytes are read or made"},
		"functions":        {"function f { f; }; f", "2: more than 100 functions call one another"},
		"variable":         {"x=0123456789abcdef; while true; do x=$x$x; done", "2: a command has more than 65536 bytes"},
		"words":            {"while true; do x=\"$x a\"; for i in $x; do true; done; done", "2: more than 100000 commands"},
		"eval":             {"x='eval $x'; eval $x", "2: more than 100 functions call one another"},
		"eval of much":     {"x='" + strings.Repeat("x", 1000) + "'; while true; do eval true $x; done", "2: more than 4194304 bytes are read or made"},
		"regexp":           {"x=0123456789abcdef; for i in 1 2 3 4 5 6 7 8 9 10; do x=$x$x; done; while true; do regexp \"$x*\" \"$x\"; done", "2: more than 4194304 bytes are read or made"},
		"regexp's counts":  {"while true; do regexp '(([0-9a-z]{50}){10}){2}' 0; done", "2: more than 4194304 bytes are read or made"},
		"wildcards":        {"x='/*/../*/../*/../*/../*/../*'; while true; do for i in $x$x; do true; done; done", "2: more than 4194304 bytes are read or made"},
		"entries":          {strings.Repeat("menuentry B { linux /k; }\n", 30_000), "1001: more than 1000 entries"},
		"100000 entries":   {"function f { menuentry B { linux /k; }; }; while true; do f; done", "2: more than 1000 entries"},
		"nested entries":   {"submenu S { while true; do menuentry B { linux /k; }; done; }", "2: more than 1000 entries"},
		"BLS entries":      {"while true; do blscfg -n -d; done", "2: more than 1000 entries"},
		"BLS, each once":   {"while true; do blscfg; done", "2: more than 4194304 bytes are read or made"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{
				"grub/grub.cfg": "menuentry A { linux /k; }\n" + test.script + "\n", "k": "", "cycle": "source /cycle",
				"big": grubenv.Signature + strings.Repeat("# comment\n", 50_000),
			}
			for i := range 200 {
				files[fmt.Sprintf("loader/entries/%d.conf", i)] = "title B\nlinux /k\n"
			}
			v := open(t, "sda1", "", "", files)
			c, err := Parse(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			if want := test.note + "; the rest is left out"; len(c.Notes) == 0 || !strings.HasSuffix(c.Notes[0], ":"+want) {
				t.Error(c.Notes)
			}
			if len(c.Entries) == 0 || len(c.Entries) > maxEntries || !strings.HasSuffix(c.Entries[0].Title, "A") || c.Default != 0 {
				t.Error(len(c.Entries), c.Default)
			}
		})
	}
}

// TestLongTitles: what an entry in submenus is called has their titles in it.
func TestLongTitles(t *testing.T) {
	const nested = 31
	title := strings.Repeat("\x1b", 60<<10)
	for name, test := range map[string]struct{ entries, note string }{
		"entries":  {strings.Repeat("menuentry B { linux /k; }\n", 900), "more than 4194304 bytes are read or made"},
		"left out": {strings.Repeat("menuentry B { true; }\n", 900), "more than 4194304 bytes are read or made"},
		"BLS":      {"blscfg\n", "more than 4194304 bytes are read or made"},
	} {
		// Of the deepest submenus not even the names are made.
		for _, depth := range []int{1, 8, nested} {
			t.Run(fmt.Sprint(name, depth), func(t *testing.T) {
				files := map[string]string{"k": "", "grub/grub.cfg": "t='" + title + "'\nexport t\nmenuentry A { linux /k; }\n" +
					strings.Repeat("submenu $t {\n", depth) + test.entries + strings.Repeat("}\n", depth)}
				for i := range 200 {
					files[fmt.Sprintf("loader/entries/%d.conf", i)] = "title B\nlinux /k\n"
				}
				v := open(t, "sda1", "", "", files)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				c, err := Parse(v, nil)
				runtime.ReadMemStats(&after)
				if err != nil {
					t.Fatal(err)
				}
				// What is made is what takes time, too; a clock would also measure
				// what else the machine does.
				made, pieces := (after.TotalAlloc-before.TotalAlloc)>>20, after.Mallocs-before.Mallocs
				t.Logf("%d MiB, %d allocations, %d entries, %d notes", made, pieces, len(c.Entries), len(c.Notes))
				if made > 50 || pieces > 200_000 {
					t.Errorf("%d MiB, %d allocations", made, pieces)
				}
				if len(c.Entries) == 0 || c.Default != 0 || !strings.Contains(c.Notes[len(c.Notes)-1], test.note) {
					t.Error(len(c.Entries), c.Default, len(c.Notes))
				}
			})
		}
	}
}

// TestLongPaths: a script pays for the parts of the paths that it names, also of
// those that links have.
func TestLongPaths(t *testing.T) {
	path := strings.Repeat("/d/..", 120)
	const most = maxWork/partWork + 10*256 // what is found out late, and what is looked up for the script itself
	for name, script := range map[string]string{
		"test":       "while true; do if [ -e /link ]; then true; fi; done",
		"tests":      "while true; do test " + strings.Repeat(" -e /link", 5000) + "; done",
		"linux":      "while true; do linux /link/k; done",
		"search":     "while true; do search --file /link/none; done",
		"wildcards":  "while true; do for i in /link/d*/* ; do true; done; done",
		"source":     "while true; do source /link/none; done",
		"load_env":   "while true; do load_env -f /link/none; done",
		"entries":    strings.Repeat("menuentry A { linux /link/k; initrd /link/k; }\n", 1000),
		"BLS":        "blsdir=/link; while true; do blscfg; done",
		"configfile": "while true; do configfile /link/none; done",
	} {
		t.Run(name, func(t *testing.T) {
			v := open(t, "sda1", "", "", map[string]string{"grub/grub.cfg": script + "\n", "k": "", "d/x": ""})
			if err := os.Symlink(path, filepath.Join(v.Dir(), "link")); err != nil {
				t.Fatal(err)
			}
			c, err := Parse(v, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := v.Walked(); n > most {
				t.Errorf("%d parts, %d entries", n, len(c.Entries))
			}
		})
	}
}

// TestManyConfigurations: they share a bound, too.
func TestManyConfigurations(t *testing.T) {
	for name, script := range map[string]string{"commands": "while true; do true; done", "files": "while true; do test -e /EFI/d00/grub.cfg; done"} {
		files := map[string]string{}
		for i := range 50 {
			files[fmt.Sprintf("EFI/d%02d/grub.cfg", i)] = script + fmt.Sprint(" # ", i)
		}
		v := open(t, "sda1", "", "", files)
		c, err := Parse(v, nil)
		if err != nil || len(c.Notes) == 0 || !strings.Contains(c.Notes[len(c.Notes)-1], "other configurations are not read") {
			t.Error(name, c, err)
		}
		if n := v.Walked(); n > 5*maxWork/partWork {
			t.Errorf("%s: %d parts", name, n)
		}
	}
}

func TestManyInitrds(t *testing.T) {
	v := open(t, "sda1", "", "", map[string]string{"k": "", "grub/grub.cfg": "menuentry A { linux /k; initrd" + strings.Repeat(" /k", loader.MaxInitrds) +
		"; }\nmenuentry B { linux /k; initrd" + strings.Repeat(" /k", 7000) + "; }\n"})
	c, err := Parse(v, nil)
	if err != nil || len(c.Entries) != 1 || len(c.Entries[0].Initrds) != loader.MaxInitrds || len(c.Notes) != 1 {
		t.Error(c, err)
	}
}

func TestHostileNames(t *testing.T) {
	v := open(t, "sda1", "", "", map[string]string{
		"grub/grub.cfg": "menuentry 'a\x1b[2J\u202e' { linux /../../etc/k; initrd ($root)/../grub/../etc/k; }\n" +
			"menuentry '\x1b[2J' { linux /../../../../../../etc/passwd; }\n" +
			"source /../../../../../etc/passwd\n",
		"etc/k": "",
	})
	c, err := Parse(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"*a\x1b[2J\u202e|a\x1b[2J\u202e|sda1:/../../etc/k|sda1:/../grub/../etc/k||"}, lines(c)); d != "" {
		t.Error(d)
	}
	want := []string{
		"sda1:/grub/grub.cfg:3: unusable loader configuration: sda1:/../../../../../etc/passwd: no such file or directory",
		`sda1:/grub/grub.cfg:2: \x1b[2J is left out: unusable loader configuration: sda1:/../../../../../../etc/passwd: no such file or directory`,
	}
	if d := cmp.Diff(want, c.Notes); d != "" {
		t.Error(d)
	}
}

func FuzzScript(f *testing.F) {
	for _, name := range []string{"debian.cfg", "ubuntu.cfg", "rhel.cfg", "sles.cfg"} {
		f.Add(read(f, name))
	}
	f.Add("function f { for x in $@ \"$*\"; do until [ ! ( $1 -gt 0x1 -o -f /k ) ]; do menuentry $x --id \"\\$\" { linux /k \\x20; }; break 2; done; done; }\nf a 'b c'\nsearch -f -s /k")
	f.Add("eval 'for x in /*/?.conf; do regexp -s y \"(.)\" $x; break; done'\nfunction f { shift; setparams $@ $x; return 2; }; f; probe -us x $root; fallback=0")
	v := open(f, "sda1", "b007", "BOOT", map[string]string{"k": "", "loader/entries/a.conf": "linux /k\n"})
	f.Fuzz(func(t *testing.T, script string) {
		in := newInterpreter(v, nil, entry.File{Volume: v, Name: "/grub/grub.cfg"}, "s390x")
		in.finish(in.runText("sda1:/grub/grub.cfg", script))
		if c := in.config; len(c.Entries) > maxEntries || c.Default >= len(c.Entries) {
			t.Error(len(c.Entries), c.Default)
		}
	})
}
