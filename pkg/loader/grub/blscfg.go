// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/loader/bls"
)

// blsOptions are the options of newer GRUBs (blsuki.c). Without any, the command
// is read as that of Fedora's and RHEL's GRUB (blscfg.c), which has none.
var blsOptions = []option{
	{"path", 'p', something},
	{"enable-fallback", 'f', nothing},
	{"show-default", 'd', nothing},
	{"show-non-default", 'n', nothing},
	{"entry", 'e', something},
}

// A blsRequest is what a call of blscfg asks for.
type blsRequest struct {
	path        string // of the directory, or of the file of one entry
	orUsual     bool   // if nothing is at the path
	byDefault   bool   // the entry that $default names
	byNoDefault bool   // the others
	id          string // an entry
	again       bool   // also what an earlier call has shown
}

func newBLSRequest(args []string) (r blsRequest, ok bool) {
	given, rest, ok := parseStrictly(blsOptions, args)
	switch {
	case !ok:
		return r, false
	case len(given) > 0:
		r = blsRequest{
			path: given.last("path"), orUsual: given.has("enable-fallback"), byDefault: given.has("show-default"),
			byNoDefault: given.has("show-non-default"), id: strings.TrimSuffix(given.last("entry"), ".conf"), again: true,
		}
		if !r.byDefault && !r.byNoDefault && r.id == "" {
			r.byDefault, r.byNoDefault = true, true
		}
	case len(rest) != 1:
		r.byDefault, r.byNoDefault = true, true
	case rest[0] == "default":
		r.byDefault = true
	case rest[0] == "non-default":
		r.byNoDefault = true
	case strings.HasPrefix(rest[0], "("):
		r.path, r.byDefault, r.byNoDefault = rest[0], true, true
	default:
		r.id = rest[0]
	}
	return r, true
}

// shows reports whether an entry is asked for. at is its place among all that
// blscfg found.
func (r *blsRequest) shows(e *bls.Item, at int, deflt string) bool {
	n, rest, isNumber := number(deflt)
	isDefault := deflt != "" && (deflt == e.ID || deflt == e.Title || isNumber && rest == "" && n == int64(at))
	return isDefault && r.byDefault || !isDefault && r.byNoDefault || r.id != "" && r.id == e.ID
}

// blsCommand adds the entries that are asked for. They are on the volume that
// Fedora and RHEL call boot, unless a path names another.
func blsCommand(in *interpreter, c *invocation) (int, error) {
	const cost = maxWork / 8 // each call reads a directory, and nobody needs more than a few
	if err := in.spend(c.at, cost); err != nil {
		return 1, err
	}
	r, ok := newBLSRequest(c.args)
	if !ok {
		return 1, nil
	}
	v, dir := in.blsPlace(r.path)
	found, err := bls.ParseBlscfg(v, dir, in.environment.all())
	if err != nil && dir != "" && r.orUsual {
		v, _ = in.blsPlace("")
		found, err = bls.ParseBlscfg(v, "", in.environment.all())
	}
	if err != nil {
		in.notef(c.at, "blscfg: %v", err)
		return 1, nil
	}
	for _, note := range found.Notes {
		in.config.Notef("%s", note)
	}
	m := in.menu
	if m.hasBLS = true; found.Usual {
		m.took = append(m.took, v)
	}
	deflt := in.environment.get("default")
	for i := range found.Items {
		e := &found.Items[i]
		if !r.shows(e, i, deflt) || m.shown[e.ID] && !r.again {
			continue
		}
		m.shown[e.ID] = true
		if err := in.add(&item{id: e.ID, title: e.Name(), bls: e, at: c.at}); err != nil {
			return 1, err
		}
	}
	return 0, nil
}

// blsPlace returns the volume and the directory of a path, which are the usual
// ones if the path has no such part.
func (in *interpreter) blsPlace(path string) (v *entry.Volume, dir string) {
	if strings.HasPrefix(path, "(") || strings.HasPrefix(path, "/") {
		if f, _ := in.file(path); f.Volume != nil {
			return f.Volume, f.Name
		}
	}
	if v = in.volume(in.environment.get("boot")); v == nil {
		v = in.root()
	}
	return v, ""
}
