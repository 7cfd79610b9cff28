// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import "strings"

// readTranslated reads $"…", a text for translation. Unlike in other quotes,
// GRUB looks for variables only when it has translated the text
// (grub_script_gettext): a dollar without a name is text then, and arguments of
// functions are empty.
func (l *lexer) readTranslated(w word) (word, error) {
	l.at += len(`$"`)
	w = append(w, part{kind: quoted})
	var text strings.Builder
	for {
		n := strings.IndexAny(l.text[l.at:], "\"\\\n")
		if n < 0 {
			return nil, l.unterminated()
		}
		text.WriteString(l.text[l.at : l.at+n])
		rest := l.text[l.at+n:]
		l.at += n + 1
		switch {
		case rest[0] == '"':
			return append(w, translatedParts(text.String())...), nil
		case rest[0] == '\n':
			l.line++
			text.WriteByte('\n')
		case strings.HasPrefix(rest, `\\`):
			l.at++
			text.WriteString(`\\`) // the second pass removes one
		case strings.HasPrefix(rest, `\"`):
			l.at++
			text.WriteByte('"')
		case strings.HasPrefix(rest, "\\\n"):
			l.at++
			l.line++
		default:
			text.WriteByte('\\')
		}
	}
}

// translatedParts finds the variables of a text. A backslash stays, unless a
// backslash or a dollar follows.
func translatedParts(text string) word {
	var w word
	for text != "" {
		n := strings.IndexAny(text, `\$`)
		if n < 0 {
			return append(w, part{quoted, text})
		}
		if n > 0 {
			w, text = append(w, part{quoted, text[:n]}), text[n:]
		}
		switch {
		case isHexEscape(text):
			w, text = append(w, part{quoted, text[:4]}), text[4:]
		case strings.HasPrefix(text, `\\`), strings.HasPrefix(text, `\$`):
			w, text = append(w, part{quoted, text[1:2]}), text[2:]
		case text[0] == '\\':
			w, text = append(w, part{quoted, `\`}), text[1:]
		default:
			var name string
			if name, text = translatedName(text[1:]); name == "" {
				w = append(w, part{quoted, "$"})
			} else if strings.Trim(name, "0123456789") != "" {
				w = append(w, part{quotedVariable, name})
			}
		}
	}
	return w
}

// translatedName splits off the name of the variable that a text begins with,
// which is empty if it begins with none.
func translatedName(text string) (name, rest string) {
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		if name, rest, ok = strings.Cut(inner, "}"); ok && nameLength(name) == len(name) && name != "" && name != "@" && name != "*" {
			return name, rest
		}
		return "0", rest // no variable has such a name, and without an end the text ends
	}
	if text == "" || text[0] == '@' || text[0] == '*' {
		return "", text
	}
	n := nameLength(text)
	return text[:n], text[n:]
}
