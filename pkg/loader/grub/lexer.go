// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"errors"
	"fmt"
	"strings"
)

// A part is a piece of a word, as it stands in the script.
type part struct {
	kind partKind
	text string // of a variable, its name
}

type partKind uint8

const (
	literal        partKind = iota
	quoted                  // makes a word even if the text is empty
	variable                // its value is split at spaces
	quotedVariable          // its value is not split
)

type word []part

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenNewline
	tokenSemicolon
	tokenLeft  // {
	tokenRight // }
	tokenWord
)

// The text of a token is as it stands in the script.
type token struct {
	kind tokenKind
	text string
	word word
	line int
}

// A lexer splits a script as the grammar of GRUB does (grub.info, "Shell-like
// scripting").
type lexer struct {
	text string
	at   int
	line int
}

func newLexer(text string) *lexer {
	// GRUB ignores carriage returns everywhere.
	return &lexer{text: strings.ReplaceAll(text, "\r", ""), line: 1}
}

// skipLine goes to the end of the line, where GRUB continues after a mistake.
func (l *lexer) skipLine() {
	if n := strings.IndexByte(l.text[l.at:], '\n'); n >= 0 {
		l.at += n
	} else {
		l.at = len(l.text)
	}
}

func (l *lexer) peek() byte {
	if l.at < len(l.text) {
		return l.text[l.at]
	}
	return 0
}

func (l *lexer) skipBlanks() {
	for {
		rest := l.text[l.at:]
		switch {
		case strings.HasPrefix(rest, " "), strings.HasPrefix(rest, "\t"):
			l.at++
		case strings.HasPrefix(rest, "\\\n"):
			l.at += 2
			l.line++
		case strings.HasPrefix(rest, "#"):
			l.skipLine()
		default:
			return
		}
	}
}

var single = map[byte]tokenKind{'\n': tokenNewline, ';': tokenSemicolon, '{': tokenLeft, '}': tokenRight}

func (l *lexer) next() (token, error) {
	l.skipBlanks()
	t := token{line: l.line}
	if l.at == len(l.text) {
		return t, nil
	}
	start, c := l.at, l.text[l.at]
	if kind, ok := single[c]; ok {
		l.at++
		if c == '\n' {
			l.line++
		}
		t.kind, t.text = kind, string(c)
		return t, nil
	}
	t.kind = tokenWord
	var err error
	if t.word, err = l.readWord(); err != nil {
		return t, err
	}
	if l.at == start {
		l.at++
		return t, fmt.Errorf("%q is not expected", l.text[start:l.at])
	}
	t.text = l.text[start:l.at]
	return t, nil
}

const delimiters = " \t\n;{}|&<>\x00"

func (l *lexer) readWord() (word, error) {
	var w word
	for l.at < len(l.text) && !strings.ContainsRune(delimiters, rune(l.text[l.at])) {
		switch c := l.text[l.at]; c {
		case '\'':
			body, after, ok := strings.Cut(l.text[l.at+1:], "'")
			if !ok {
				return nil, l.unterminated()
			}
			l.at = len(l.text) - len(after)
			l.line += strings.Count(body, "\n")
			w = append(w, part{quoted, body})
		case '"':
			var err error
			if w, err = l.readQuoted(w); err != nil {
				return nil, err
			}
		case '$':
			if strings.HasPrefix(l.text[l.at:], `$"`) {
				var err error
				if w, err = l.readTranslated(w); err != nil {
					return nil, err
				}
				continue
			}
			name, err := l.readVariable()
			if err != nil {
				return nil, err
			}
			w = append(w, part{variable, name})
		case '\\':
			if l.at+1 == len(l.text) {
				l.at++
				return nil, errors.New("a backslash has nothing behind it")
			}
			if text := l.readEscape(); text != "" {
				w = append(w, part{quoted, text}) // not a wildcard
			}
		default:
			n := strings.IndexAny(l.text[l.at:], delimiters+`'"$\`)
			if n < 0 {
				n = len(l.text) - l.at
			}
			w = append(w, part{literal, l.text[l.at : l.at+n]})
			l.at += n
		}
	}
	return w, nil
}

func (l *lexer) unterminated() error {
	l.at = len(l.text)
	return errors.New("a quotation mark has no second")
}

// readQuoted reads text in double quotes.
func (l *lexer) readQuoted(w word) (word, error) {
	l.at++
	w = append(w, part{kind: quoted})
	for {
		n := strings.IndexAny(l.text[l.at:], "\"$\\")
		if n < 0 {
			return nil, l.unterminated()
		}
		if n > 0 {
			w = append(w, part{quoted, l.text[l.at : l.at+n]})
			l.line += strings.Count(l.text[l.at:l.at+n], "\n")
			l.at += n
		}
		switch l.text[l.at] {
		case '"':
			l.at++
			return w, nil
		case '$':
			name, err := l.readVariable()
			if err != nil {
				return nil, err
			}
			w = append(w, part{quotedVariable, name})
		default:
			text := `\`
			if l.at++; l.at < len(l.text) && strings.IndexByte("$\\\"\n", l.text[l.at]) >= 0 {
				text = l.text[l.at : l.at+1]
				l.at++
			}
			if text == "\n" { // joins two lines
				l.line++
				continue
			}
			w = append(w, part{quoted, text})
		}
	}
}

// readEscape reads a backslash outside of quotes. Fedora's and RHEL's GRUB
// leave \xHH as it is.
func (l *lexer) readEscape() string {
	rest := l.text[l.at:]
	if isHexEscape(rest) {
		l.at += 4
		return rest[:4]
	}
	l.at += 2
	if rest[1] == '\n' {
		l.line++
		return ""
	}
	return rest[1:2]
}

func isHexEscape(s string) bool {
	const hex = "0123456789abcdefABCDEF"
	return len(s) >= 4 && s[:2] == `\x` && strings.IndexByte(hex, s[2]) >= 0 && strings.IndexByte(hex, s[3]) >= 0
}

// readVariable reads $NAME or ${NAME}.
func (l *lexer) readVariable() (string, error) {
	l.at++
	braces := l.peek() == '{'
	if braces {
		l.at++
	}
	n := nameLength(l.text[l.at:])
	name := l.text[l.at : l.at+n]
	l.at += n
	if n == 0 || braces && l.peek() != '}' {
		return "", errors.New("$ has no name of a variable")
	}
	if braces {
		l.at++
	}
	return name, nil
}

func nameLength(s string) int {
	if s == "" {
		return 0
	}
	if strings.IndexByte("?#*@", s[0]) >= 0 {
		return 1
	}
	digits := strings.IndexByte("0123456789", s[0]) >= 0
	n := strings.IndexFunc(s, func(r rune) bool {
		isDigit := '0' <= r && r <= '9'
		isLetter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !isDigit && (digits || !isLetter)
	})
	if n < 0 {
		n = len(s)
	}
	return n
}

// isName reports whether a function, or the variable of a for, may have a name.
func isName(s string) bool {
	return s != "" && strings.IndexByte("?#*@0123456789", s[0]) < 0 && nameLength(s) == len(s)
}
