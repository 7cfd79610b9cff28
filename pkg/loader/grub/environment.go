// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"maps"
	"slices"
)

// An environment holds variables. A menu entry's environment overlays that of
// its menu, so that no entry sees what another one sets.
type environment struct {
	variables map[string]value
	below     *environment
	// exported: of the environments below only exported variables are visible.
	// That is so in submenus, and in files that configfile reads.
	exported bool
}

type value struct {
	text          string
	set, exported bool
}

func (e *environment) over(exported bool) *environment {
	return &environment{variables: map[string]value{}, below: e, exported: exported}
}

func (e *environment) lookup(name string) value {
	only := false
	for ; e != nil; e = e.below {
		if v, ok := e.variables[name]; ok {
			if only && !v.exported {
				return value{}
			}
			return v
		}
		only = only || e.exported
	}
	return value{}
}

func (e *environment) get(name string) string { return e.lookup(name).text }

func (e *environment) put(name, text string) {
	e.variables[name] = value{text, true, e.lookup(name).exported}
}

func (e *environment) unset(name string) { e.variables[name] = value{} }

func (e *environment) export(name string) {
	e.variables[name] = value{e.get(name), true, true}
}

// all returns the variables that are set.
func (e *environment) all() map[string]string {
	layers := []*environment{}
	for ; e != nil; e = e.below {
		layers = append(layers, e)
	}
	seen := map[string]value{}
	for _, layer := range slices.Backward(layers) {
		if layer.exported {
			maps.DeleteFunc(seen, func(_ string, v value) bool { return !v.exported })
		}
		maps.Copy(seen, layer.variables)
	}
	out := map[string]string{}
	for name, v := range seen {
		if v.set {
			out[name] = v.text
		}
	}
	return out
}
