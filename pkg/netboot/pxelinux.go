// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loaders"
)

const (
	// maxDepth is how deep configurations may lie in one another, maxFiles how
	// many there may be in all.
	maxDepth   = 8
	maxFiles   = 32
	maxEntries = 1000
	// maxCmdline is of one entry, in bytes.
	maxCmdline = 1 << 16
	maxInitrds = 64
)

// A pxelinux reads one configuration and what it includes, as the Syslinux
// wiki describes it (Config, Directives, Menu). Modules, what they are given,
// and what they do to the screen, are passed over.
type pxelinux struct {
	lease  *Lease
	read   Reader
	prefix *url.URL
	files  int

	config  *entry.Config
	labels  []label
	at      *label // what directives belong to, nil outside of labels
	global  label  // of it append and sysappend
	menus   loaders.SyslinuxMenu
	depth   int // of submenus
	timeout string
	inText  bool // between TEXT and ENDTEXT
}

// A label is one entry as far as it is read.
type label struct {
	loaders.SyslinuxLabel
	title, args string // args are what KERNEL has behind the file
	initrd, fdt string
	appended    string // that of all labels when this one began, or its own
	sysappend   *uint64
	other       bool // it boots no Linux
	where       string
}

func parsePXELINUX(ctx context.Context, prefix *url.URL, file string, text []byte, lease *Lease, read Reader) (*entry.Config, error) {
	p := &pxelinux{
		lease: lease, read: read, prefix: prefix,
		config: &entry.Config{Kind: "pxelinux", Source: file, Default: entry.None},
	}
	if err := p.parse(ctx, file, text, 0); err != nil {
		return nil, err
	}
	for i := range p.labels {
		p.menus.Labels = append(p.menus.Labels, p.finish(&p.labels[i]))
	}
	p.menus.Choose(p.config, p.command)
	p.wait()
	return p.config, nil
}

func (p *pxelinux) parse(ctx context.Context, file string, text []byte, depth int) error {
	if err := checkText(text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for i, line := range lines(text) {
		if line == "" || line[0] == '#' {
			continue
		}
		where := fmt.Sprintf("%s:%d", file, i+1)
		keyword, value := loaders.FirstWord(line)
		keyword = strings.ToLower(keyword)
		// Some write initrd=FILE as a line of its own.
		if rest, found := strings.CutPrefix(line, "initrd="); found {
			keyword, value = "initrd", rest
		}
		if keyword == "menu" {
			word, rest := loaders.FirstWord(value)
			keyword, value = "menu "+strings.ToLower(word), rest
		}
		switch {
		case p.inText:
			p.inText = keyword != "endtext"
		case keyword == "include" || keyword == "menu include":
			name, tag := loaders.FirstWord(value)
			outer := p.depth
			if tag != "" {
				p.at = nil
				p.depth++ // the file is a submenu
			}
			if err := p.include(ctx, name, where, depth); err != nil {
				return err
			}
			if tag != "" {
				p.at, p.depth = nil, outer
			}
		case keyword == "label" && len(p.labels) == maxEntries:
			return fmt.Errorf("%w: %s: more than %d labels", entry.ErrConfig, where, maxEntries)
		default:
			p.directive(keyword, value, where)
		}
	}
	p.inText = false // it ends with its file
	return nil
}

// include reads a file in the place of a line. One that cannot be had is
// passed over, as PXELINUX does.
func (p *pxelinux) include(ctx context.Context, name, where string, depth int) error {
	if depth == maxDepth || p.files == maxFiles {
		return fmt.Errorf("%w: %s: includes lie deeper than %d, or are more than %d", entry.ErrConfig, where, maxDepth, maxFiles)
	}
	p.files++
	file, err := resolve(p.prefix, name)
	if err != nil {
		p.config.Notef("%s: %v", where, err)
		return nil
	}
	text, err := p.read(ctx, file)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		p.config.Notef("%s: %v", where, err)
		return nil
	}
	return p.parse(ctx, file, text, depth+1)
}

// directive takes one line that is neither empty nor an include.
func (p *pxelinux) directive(keyword, value, where string) {
	at := p.at
	if at == nil {
		at = &p.global
	}
	if p.menus.Set(keyword, value, p.depth) {
		return
	}
	switch keyword {
	case "timeout":
		if p.depth == 0 {
			p.timeout, _ = loaders.FirstWord(value)
		}
	case "label":
		p.labels = append(p.labels, label{
			SyslinuxLabel: loaders.SyslinuxLabel{Name: value, Depth: p.depth},
			where:         where, appended: p.global.appended, sysappend: p.global.sysappend,
		})
		p.at = &p.labels[len(p.labels)-1]
	case "kernel", "linux":
		at.Kernel, at.args = loaders.FirstWord(value)
		at.other = false
	case "initrd":
		at.initrd = value
	case "fdt", "devicetree":
		at.fdt = value
	case "append":
		at.appended = loaders.SyslinuxAppend(value)
	case "ipappend", "sysappend":
		word, _ := loaders.FirstWord(value)
		n, err := strconv.ParseUint(word, 0, 32)
		if err != nil {
			p.config.Notef("%s: %s: no number: %s", where, keyword, entry.Printable(value))
			return
		}
		at.sysappend = &n
	case "menu label":
		// The caret marks a key.
		at.title = strings.Replace(value, "^", "", 1)
	case "com32":
		at.Kernel, at.args = loaders.FirstWord(value)
		at.other = true
	case "boot", "bss", "pxe", "fdimage", "comboot", "localboot", "config":
		at.other = true
	case "fdtdir":
		p.config.Notef("%s: fdtdir is passed over: which file it means depends on the board", where)
	case "menu begin":
		p.at = nil // what follows is about the submenu
		p.depth++
	case "menu end":
		p.at = nil
		p.depth = max(0, p.depth-1)
	case "menu separator":
		p.at = nil // it ends a label
	case "text":
		p.inText = true
	default:
		if word, found := strings.CutPrefix(keyword, "menu "); found {
			at.Menu(word)
		}
	}
}

// wait takes TIMEOUT's value.
func (p *pxelinux) wait() {
	c := p.config
	if p.timeout == "" {
		return
	}
	tenths, err := strconv.ParseUint(p.timeout, 10, 31)
	if err != nil {
		c.Notef("%s: timeout: no number: %s", c.Source, entry.Printable(p.timeout))
		return
	}
	timeout := time.Duration(tenths) * 100 * time.Millisecond
	if tenths == 0 {
		timeout = -1
	}
	c.Timeout = &timeout
}
