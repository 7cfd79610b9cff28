// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"slices"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader/bls"
)

// A menu is what GRUB shows, with the variables at that time.
type menu struct {
	items       []*item
	environment *environment
	hasBLS      bool            // it is of a GRUB with blscfg
	took        []*entry.Volume // whose entries blscfg took
	shown       map[string]bool // the IDs of blscfg's entries
}

func newMenu(e *environment) *menu { return &menu{environment: e, shown: map[string]bool{}} }

// An item is an entry, a submenu, or an entry that blscfg found.
type item struct {
	id, title string
	args      []string // of the body; the title is the first
	submenu   bool
	body      []block
	bls       *bls.Item
	at        position
}

// menuEntryOptions are the options of menuentry and submenu. Fedora's and RHEL's
// GRUB take --users without a value, which their grub.cfg may make of a variable
// that is not set.
var menuEntryOptions = []option{
	{"class", 0, something},
	{"users", 0, perhaps},
	{"hotkey", 0, something},
	{"id", 0, something},
	{"unrestricted", 0, nothing},
}

func menuEntryCommand(in *interpreter, c *invocation) (int, error) {
	given, rest, ok := parseOptions(menuEntryOptions, c.args)
	if !ok || len(rest) == 0 || c.body == nil {
		in.notef(c.at, "%s without a title or a body", c.name)
		return 1, nil
	}
	it := &item{title: rest[0], id: rest[0], args: rest, submenu: c.name == "submenu", body: c.body, at: c.at}
	if given.has("id") {
		it.id = given.last("id")
	}
	return 0, in.add(it)
}

func (in *interpreter) add(it *item) error {
	if in.entries++; in.entries > maxEntries {
		return in.stop(it.at, "more than %d entries", maxEntries)
	}
	in.menu.items = append(in.menu.items, it)
	return nil
}

// offer makes entries of the menu's items. The entries of a submenu take its
// place.
func (in *interpreter) offer(m *menu, outer string, depth int, isDefault bool) error {
	for _, v := range m.took {
		if !slices.Contains(in.config.TookBLS, v) {
			in.config.TookBLS = append(in.config.TookBLS, v)
		}
	}
	chosen := -1
	if isDefault {
		chosen = m.chosen()
	}
	boots := make([]int, len(m.items))
	for i, it := range m.items {
		var err error
		if boots[i], err = in.evaluate(m, it, outer, depth, i == chosen); err != nil {
			return err
		}
	}
	if chosen >= 0 && chosen < len(boots) && boots[chosen] == entry.None {
		in.fallBack(m, boots)
	}
	return nil
}

// fallBack chooses the first item in $fallback that can be booted, as GRUB does
// if the default cannot be loaded.
func (in *interpreter) fallBack(m *menu, boots []int) {
	rest := m.environment.get("fallback")
	for i := 0; rest != ""; {
		if i, rest = m.fallback(rest); i < 0 {
			return
		}
		if boots[i] != entry.None {
			in.config.Default = boots[i]
			in.config.Notef("%s: the fallback is %s", printable(in.config.Source), printable(m.items[i].title))
			return
		}
	}
}

// fallback returns the first item that a list names, and the rest of the list.
// A word that names no item ends the list. GRUB takes only numbers; a GRUB with
// blscfg also takes an id, and a title if that is the whole list.
func (m *menu) fallback(list string) (at int, rest string) {
	list = strings.TrimSpace(list)
	if m.hasBLS {
		first, rest, _ := strings.Cut(list, " ")
		if i := slices.IndexFunc(m.items, func(it *item) bool { return it.id == first }); i >= 0 {
			return i, rest
		}
		if i := slices.IndexFunc(m.items, func(it *item) bool { return it.title == list }); i >= 0 {
			return i, ""
		}
	}
	n, rest, ok := number(list)
	isWord := rest == "" || rest[0] == ' '
	if !ok || n >= int64(len(m.items)) || m.hasBLS && !isWord {
		return -1, ""
	}
	return int(n), rest
}

// evaluate offers what an item boots. It returns the place among the entries,
// None if the item cannot be loaded, or Elsewhere if it boots something else
// than Linux or shows another menu.
func (in *interpreter) evaluate(m *menu, it *item, outer string, depth int, isDefault bool) (int, error) {
	// The title and id of a submenu are repeated in each entry in it.
	chosen := strings.ReplaceAll(it.id, ">", ">>")
	if above := m.environment.get("chosen"); above != "" {
		chosen = above + ">" + chosen
	}
	if err := in.spend(it.at, len(outer)+len(it.title)+len(chosen)); err != nil {
		return entry.None, err
	}
	title := outer + it.title
	if it.bls != nil {
		if it.bls.Wrong != nil {
			in.config.Notef("left out: %v", it.bls.Wrong)
			if isDefault {
				in.noDefault(entry.None)
			}
			return entry.None, nil
		}
		e := it.bls.Entry
		e.Title = title
		return in.append(e, isDefault), nil
	}
	inner := newMenu(m.environment.over(it.submenu))
	inner.environment.put("chosen", chosen)
	inner.environment.export("chosen")
	_, rest := firstOf(m.environment.get("default"))
	if inner.environment.unset("default"); isDefault && rest != "" {
		inner.environment.put("default", rest)
	}
	in.environment, in.menu, in.arguments = inner.environment, inner, it.args
	in.target, in.shown, in.status, in.returns = target{}, nil, 0, false
	err := in.runLines(it.body)
	if errors.Is(err, errStop) {
		return entry.None, err
	}
	leaves := errors.Is(err, errLeave)
	if leaves {
		in.target = target{} // it is loaded, but not booted
	}
	if in.shown != nil {
		inner = in.shown // configfile in the body shows it
	} else if !it.submenu {
		inner.items = nil
	}
	if len(inner.items) > 0 {
		if depth++; depth > maxFiles {
			return entry.None, in.stop(it.at, "more than %d menus are nested", maxFiles)
		}
		if isDefault && leaves {
			in.noDefault(entry.Elsewhere)
		}
		return entry.Elsewhere, in.offer(inner, title+" > ", depth, isDefault && !leaves)
	}
	if why := in.target.why(); why != nil {
		in.notef(it.at, "%s is left out: %v", printable(title), why)
		boots := entry.None
		if errors.Is(why, errNoLinux) {
			boots = entry.Elsewhere
		}
		if isDefault {
			in.noDefault(boots)
		}
		return boots, nil
	}
	return in.append(in.target.entry(it.id, title), isDefault), nil
}

// runLines executes a text that GRUB reads line by line: a return ends only its
// line.
func (in *interpreter) runLines(lines []block) error {
	for _, line := range lines {
		if err := line.run(in); err != nil {
			return err
		}
	}
	return nil
}

func (t *target) entry(id, title string) entry.Entry {
	return entry.Entry{ID: id, Title: title, Kernel: *t.kernel, Initrds: t.initrds, DeviceTree: t.deviceTree, Cmdline: t.cmdline}
}

// noDefault is the default if what GRUB would boot is not offered: None or
// Elsewhere.
func (in *interpreter) noDefault(is int) {
	in.config.Default = is
	in.config.Notef("%s: the default is left out", printable(in.config.Source))
}

func (in *interpreter) append(e entry.Entry, isDefault bool) (at int) {
	at = len(in.config.Entries)
	if isDefault {
		in.config.Default = at
	}
	in.config.Entries = append(in.config.Entries, e)
	return at
}

// chosen returns the item that $default names, or the first item if there is none
// of that name.
func (m *menu) chosen() int {
	v := m.environment.lookup("default")
	if !v.set {
		return 0
	}
	first, _ := firstOf(v.text)
	if i, ok := m.named(first); ok {
		return i
	}
	return 0
}

// named returns the item with a number, title or id.
func (m *menu) named(name string) (int, bool) {
	n, rest, isNumber := number(name)
	at, isItem := int(n), isNumber && n < int64(len(m.items))
	find := func(of ...func(*item) string) (int, bool) {
		i := slices.IndexFunc(m.items, func(it *item) bool {
			return slices.ContainsFunc(of, func(f func(*item) string) bool { return f(it) == name })
		})
		return i, i >= 0
	}
	id, title := func(it *item) string { return it.id }, func(it *item) string { return it.title }
	if !m.hasBLS {
		// A text that begins with a number is one.
		if isNumber {
			return at, isItem
		}
		return find(title, id)
	}
	// A GRUB with blscfg looks for names first, because the names of entries
	// begin with a machine-id.
	for _, of := range []func(*item) string{id, title} {
		if i, ok := find(of); ok {
			return i, true
		}
	}
	return at, isItem && rest == ""
}

// firstOf splits a default: what it names in a menu, and what it names in that
// item's submenu. >> stands for > itself.
func firstOf(name string) (first, rest string) {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '>' {
			if i+1 == len(name) || name[i+1] != '>' {
				return b.String(), name[i+1:]
			}
			i++
		}
		b.WriteByte(name[i])
	}
	return b.String(), ""
}
