// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/internal/flags"
	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/refusal"
)

var update = flag.Bool("update", false, "write the documentation of commands, flags and exit codes")

// TestDocs holds that what the documentation says of commands, flags and exit
// codes is what the code says. With -update it is written.
func TestDocs(t *testing.T) {
	const docs = "../../docs"
	all := allFlags(t)
	man := read(t, filepath.Join(docs, "imaboot.8.in"))
	for place, text := range map[string]string{
		"@VERSION@": carry.Version, "@SYNOPSIS@\n": manSynopsis(), "@COMMANDS@\n": manCommands(),
		"@FLAGS@\n": manFlags(all), "@EXIT_CODES@\n": manExitCodes(),
	} {
		if strings.Count(man, place) != 1 {
			t.Errorf("imaboot.8.in does not have one %q", place)
		}
		man = strings.ReplaceAll(man, place, text)
	}
	usage := read(t, filepath.Join(docs, "usage.md"))
	usage = fill(t, usage, "commands", markdownCommands())
	usage = fill(t, usage, "flags", markdownFlags(all))
	codes := fill(t, read(t, filepath.Join(docs, "exit-codes.md")), "exit codes", markdownExitCodes())
	for name, want := range map[string]string{"imaboot.8": man, "usage.md": usage, "exit-codes.md": codes} {
		file := filepath.Join(docs, name)
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := gocmp.Diff(want, read(t, file)); diff != "" {
			t.Errorf("%s is not what the code says; go test ./cmds/imaboot -run TestDocs -update writes it:\n%s", file, diff)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fill replaces what stands between two marks of a Markdown page.
func fill(t *testing.T, page, name, text string) string {
	t.Helper()
	begin, end := "<!-- "+name+": written by go test ./cmds/imaboot -run TestDocs -update -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(page, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("there are no marks of the %s", name)
	}
	return before + begin + text + end + after
}

// A documented flag is a flag with the commands that have it.
type documented struct {
	name, head, usage string
	settable          bool
	commands          []string
}

// allFlags are the flags of all commands, by their names. A name means the same
// to all commands.
func allFlags(t *testing.T) []documented {
	t.Helper()
	byName := map[string]documented{}
	for i := range commands {
		c := newCommand(io.Discard, io.Discard)
		c.sub = &commands[i]
		f, _ := c.flagSet()
		f.VisitAll(func(x *flag.Flag) {
			d := documented{name: x.Name, settable: slices.Contains(configurable, x.Name)}
			d.head, d.usage = flags.Describe(x)
			if same, ok := byName[x.Name]; ok {
				if same.head != d.head || same.usage != d.usage {
					t.Errorf("%s: %s is not the flag of %v", c.sub.name, d.head, same.commands)
				}
				d.commands = same.commands
			}
			d.commands = append(d.commands, c.sub.name)
			byName[x.Name] = d
		})
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b documented) int { return cmp.Compare(a.name, b.name) })
}

// of says which commands have the flag.
func (d documented) of() string {
	if len(d.commands) == len(commands) {
		return "all"
	}
	return strings.Join(d.commands, ", ")
}

var flagWord = regexp.MustCompile(`--[a-z-]*[a-z]`)

// markdown sets flags in code, and escapes what ends a cell of a table.
func markdown(s string) string {
	return flagWord.ReplaceAllString(strings.ReplaceAll(s, "|", `\|`), "`$0`")
}

func markdownCommands() string {
	var b strings.Builder
	for _, s := range commands {
		fmt.Fprintf(&b, "    %-31s  %s\n", s.usage(), s.does)
	}
	return b.String()
}

func markdownFlags(all []documented) string {
	var b strings.Builder
	b.WriteString("| flag | commands | meaning |\n|---|---|---|\n")
	for _, d := range all {
		mark := ""
		if d.settable {
			mark = ` \*`
		}
		fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", strings.ReplaceAll(d.head, "|", `\|`), mark, d.of(), markdown(d.usage))
	}
	return b.String()
}

func markdownExitCodes() string {
	var b strings.Builder
	b.WriteString("| code | name | meaning | next entry |\n|---|---|---|---|\n")
	b.WriteString("| 0 | | success; for `verify`: every bank matches | |\n")
	for _, r := range refusal.Table() {
		next := "no"
		if r.Another {
			next = "yes"
		}
		fmt.Fprintf(&b, "| %d | `%s` | %s | %s |\n", r.Code, r.Name, markdown(r.Means), next)
	}
	return b.String()
}

var (
	roffFlag  = regexp.MustCompile(`\\-\\-[a-z\\-]*[a-z]`)
	sentences = regexp.MustCompile(`\. ([A-Z]|\\f)`)
)

// roff escapes a text, sets flags in bold, and begins a line with each sentence.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	s = roffFlag.ReplaceAllString(s, `\fB$0\fR`)
	var b strings.Builder
	for sentence := range strings.SplitSeq(sentences.ReplaceAllString(s, ".\n$1"), "\n") {
		b.WriteString(human.Wrap(sentence, 0, 80))
	}
	return b.String()
}

// roffUsage sets a flag or a command in bold, and what is filled in in italics.
func roffUsage(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		style := `\fB`
		if strings.ToUpper(w) == w || w == "[flags]" {
			style = `\fI`
		}
		words[i] = style + strings.ReplaceAll(w, "-", `\-`) + `\fR`
	}
	return strings.Join(words, " ")
}

func manSynopsis() string {
	var lines []string
	for _, s := range commands {
		lines = append(lines, roffUsage(s.usage())+"\n")
	}
	return strings.Join(lines, ".br\n")
}

func manCommands() string {
	var b strings.Builder
	for _, s := range commands {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s", s.name, roff(s.text()))
	}
	return b.String()
}

func manFlags(all []documented) string {
	var b strings.Builder
	for _, d := range all {
		mark := ""
		if d.settable {
			mark = " *"
		}
		fmt.Fprintf(&b, ".TP\n%s%s\n%s.br\n.RI ( %s )\n", roffUsage(d.head), mark, roff(d.usage), strings.ReplaceAll(d.of(), " ", `\ `))
	}
	return b.String()
}

func manExitCodes() string {
	var b strings.Builder
	b.WriteString(".TP\n.B 0\nsuccess; for\n.BR verify :\nevery bank matches\n")
	for _, r := range refusal.Table() {
		mark := ""
		if r.Another {
			mark = " *"
		}
		fmt.Fprintf(&b, ".TP\n.BR %d \"  %s%s\"\n%s", r.Code, strings.ReplaceAll(string(r.Name), "-", `\-`), mark, roff(r.Means))
	}
	return b.String()
}
