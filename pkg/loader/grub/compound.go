// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import "slices"

// A command of a script is simple, or made of other commands.
type command interface {
	run(*interpreter) error
}

type simple struct {
	words []word
	body  []block // the lines of a menu entry
	at    position
}

type conditional struct {
	branches []branch // if and elif
	other    block
}

type branch struct{ condition, body block }

type loop struct {
	until           bool
	condition, body block
	at              position
}

type iteration struct {
	name  string
	words []word
	body  block
	at    position
}

type function struct {
	name string
	body block
	at   position
}

type block []command

// A position is where a command stands.
type position struct {
	file string
	line int
}

func (p *parser) conditional() (command, error) {
	c := &conditional{}
	for p.is("if") || p.is("elif") {
		condition, err := p.after(p.token.text, "then")
		if err != nil {
			return nil, err
		}
		body, err := p.after("then", "elif", "else", "fi")
		if err != nil {
			return nil, err
		}
		c.branches = append(c.branches, branch{condition, body})
	}
	if p.is("else") {
		var err error
		if c.other, err = p.after("else", "fi"); err != nil {
			return nil, err
		}
	}
	return c, p.next()
}

func (p *parser) loop() (command, error) {
	l := &loop{until: p.is("until"), at: p.at()}
	var err error
	if l.condition, err = p.after(p.token.text, "do"); err != nil {
		return nil, err
	}
	if l.body, err = p.after("do", "done"); err != nil {
		return nil, err
	}
	return l, p.next()
}

func (p *parser) iteration() (command, error) {
	i := &iteration{at: p.at()}
	if err := p.next(); err != nil {
		return nil, err
	}
	if i.name = p.token.text; p.token.kind != tokenWord || !isName(i.name) || slices.Contains(reserved, i.name) || slices.Contains(opening, i.name) {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if !p.is("in") {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	var err error
	if i.words, err = p.words(); err != nil {
		return nil, err
	}
	if p.token.kind == tokenSemicolon {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if err := p.skipNewlines(); err != nil {
		return nil, err
	}
	if i.body, err = p.after("do", "done"); err != nil {
		return nil, err
	}
	return i, p.next()
}
