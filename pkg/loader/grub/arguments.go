// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import "strings"

// returnCommand returns from a function or a menu entry; only these have
// arguments.
func returnCommand(in *interpreter, c *invocation) (int, error) {
	if in.arguments == nil || len(c.args) > 1 {
		return 1, nil
	}
	status := in.status
	if len(c.args) > 0 {
		n, rest, ok := number(c.args[0])
		if !ok || rest != "" {
			return 1, nil
		}
		status = int(n)
	}
	in.returns = true
	return status, nil
}

func shiftCommand(in *interpreter, c *invocation) (int, error) {
	if in.arguments == nil {
		return 0, nil
	}
	n := int64(1)
	if len(c.args) > 0 {
		var rest string
		var ok bool
		if n, rest, ok = number(c.args[0]); !ok || rest != "" {
			return 1, nil
		}
	}
	if len(c.args) > 1 || n > int64(len(in.arguments)) {
		return 1, nil
	}
	in.arguments = in.arguments[n:]
	return 0, nil
}

func setParametersCommand(in *interpreter, c *invocation) (int, error) {
	if in.arguments == nil {
		return 1, nil
	}
	in.arguments = c.args
	return 0, nil
}

// evalCommand executes its words as lines of a script, without a scope of their
// own: they may break loops and return. A mistake ends them.
func evalCommand(in *interpreter, c *invocation) (int, error) {
	defer func() { in.calls-- }()
	if in.calls++; in.calls > maxCalls {
		return 1, in.stop(c.at, "more than %d functions call one another", maxCalls)
	}
	text := strings.Join(c.args, " ")
	if err := in.spend(c.at, len(text)); err != nil {
		return 1, err
	}
	p := &parser{lexer: newLexer(text), file: c.at.file, read: &in.words}
	p.lexer.line = c.at.line
	status := 0
	for {
		b, err := p.line()
		if err != nil {
			in.notef(position{c.at.file, p.wrong}, "%v", err)
			return 0, nil
		}
		if len(b) == 0 {
			break
		}
		if err := b.run(in); err != nil {
			return 1, err
		}
		status = in.status
	}
	return status, nil
}
