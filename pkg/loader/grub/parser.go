// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"fmt"
	"slices"
)

// maxBlocks is how deep blocks may be nested.
const maxBlocks = 100

// A parser makes commands of a script. It takes one line at a time, with the
// lines of the blocks that begin in it.
type parser struct {
	lexer *lexer
	file  string
	token token
	depth int
	wrong int // the line of an error
	// read counts the words of all files.
	read *int
}

// opening are the words that begin a block.
var opening = []string{"if", "while", "until", "for"}

// reserved words begin no command, or have no meaning to GRUB so far.
var reserved = []string{"then", "elif", "else", "fi", "do", "done", "in", "case", "esac", "select", "function"}

var errWords = fmt.Errorf("more than %d words", maxWords)

var errEnd = errors.New("what begins here has no end")

func (p *parser) next() error {
	var err error
	if p.token, err = p.lexer.next(); err != nil || p.token.kind != tokenWord {
		return err
	}
	if *p.read++; *p.read > maxWords {
		return errWords
	}
	return nil
}

func (p *parser) is(text string) bool {
	return p.token.kind == tokenWord && p.token.text == text
}

func (p *parser) at() position { return position{p.file, p.token.line} }

func (p *parser) unexpected() error {
	if p.token.kind == tokenEnd {
		return errEnd
	}
	const most = 40 // bytes of a word
	return fmt.Errorf("%q is not expected", p.token.text[:min(most, len(p.token.text))])
}

func (p *parser) skipNewlines() error {
	for p.token.kind == tokenNewline {
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// line reads the next line that has commands, and the further lines of their
// blocks; it returns none at the end. After an error it skips the rest of the
// line.
func (p *parser) line() (block, error) {
	var b block
	first := 0
	err := func() error {
		p.depth = 0
		if err := p.next(); err != nil {
			return err
		}
		if err := p.skipNewlines(); err != nil {
			return err
		}
		first = p.token.line
		for p.token.kind != tokenEnd && p.token.kind != tokenNewline {
			c, err := p.statement()
			if err != nil {
				return err
			}
			b = append(b, c)
			if err := p.delimiter(); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil {
		// The wrong token may be the end of its line.
		if p.token.kind != tokenNewline {
			p.lexer.skipLine()
		}
		p.wrong = p.token.line
		if errors.Is(err, errEnd) {
			p.wrong = first
		}
		return nil, err
	}
	return b, nil
}

// delimiter skips a semicolon, and stops at the end of a line.
func (p *parser) delimiter() error {
	switch p.token.kind {
	case tokenSemicolon:
		return p.next()
	case tokenNewline, tokenEnd:
		return nil
	}
	return p.unexpected()
}

func (p *parser) statement() (command, error) {
	if !p.is("function") {
		return p.command()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	f := &function{name: p.token.text, at: p.at()}
	if p.token.kind != tokenWord || !isName(f.name) {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if err := p.skipNewlines(); err != nil {
		return nil, err
	}
	lines, err := p.braces()
	f.body = slices.Concat(lines...)
	return f, err
}

func (p *parser) command() (command, error) {
	if p.token.kind != tokenWord || slices.Contains(reserved, p.token.text) {
		return nil, p.unexpected()
	}
	switch p.token.text {
	case "if":
		return p.conditional()
	case "while", "until":
		return p.loop()
	case "for":
		return p.iteration()
	}
	c := &simple{at: p.at()}
	var err error
	if c.words, err = p.words(); err != nil {
		return nil, err
	}
	if p.token.kind == tokenLeft {
		c.body, err = p.braces()
	}
	return c, err
}

func (p *parser) words() ([]word, error) {
	var words []word
	for p.token.kind == tokenWord {
		if p.is("[[") || p.is("]]") { // they have no meaning so far
			return nil, p.unexpected()
		}
		words = append(words, p.token.word)
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return words, nil
}

// until reads commands up to one of the words, and leaves that word; without
// words it reads up to a closing brace. GRUB refuses empty blocks.
func (p *parser) until(ends ...string) (block, error) {
	lines, err := p.lines(ends...)
	return slices.Concat(lines...), err
}

// lines reads commands as until does, and groups them by the line in which they
// begin.
func (p *parser) lines(ends ...string) ([]block, error) {
	if p.depth++; p.depth > maxBlocks {
		return nil, fmt.Errorf("more than %d blocks are nested", maxBlocks)
	}
	var lines []block
	for {
		isNew := lines == nil || p.token.kind == tokenNewline
		if err := p.skipNewlines(); err != nil {
			return nil, err
		}
		isEnd := p.token.kind == tokenRight && len(ends) == 0 ||
			p.token.kind == tokenWord && slices.Contains(ends, p.token.text)
		if isEnd && lines != nil {
			p.depth--
			return lines, nil
		}
		c, err := p.command()
		if err != nil {
			return nil, err
		}
		if isNew {
			lines = append(lines, nil)
		}
		last := &lines[len(lines)-1]
		*last = append(*last, c)
		if p.token.kind == tokenRight && len(ends) == 0 {
			continue
		}
		if err := p.delimiter(); err != nil {
			return nil, err
		}
	}
}

// after reads a keyword, and then a block up to one of ends.
func (p *parser) after(keyword string, ends ...string) (block, error) {
	if !p.is(keyword) {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	return p.until(ends...)
}

func (p *parser) braces() ([]block, error) {
	if p.token.kind != tokenLeft {
		return nil, p.unexpected()
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	b, err := p.lines()
	if err != nil {
		return nil, err
	}
	return b, p.next()
}
