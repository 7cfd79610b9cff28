// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"path"
	"regexp"
	"strings"
)

var escaped = regexp.MustCompile(`\\(.)`)

// glob returns the files that match a pattern of path.Match, sorted. As in
// GRUB, * and ? are the only wildcards, and match only in paths that begin at a
// file system's root. In names of devices they match nothing here, because the
// firmware's names are not known.
func (in *interpreter) glob(pattern string, at position) []string {
	device, name := "", pattern
	if strings.HasPrefix(pattern, "(") {
		n := strings.IndexByte(pattern, ')') + 1
		device, name = escaped.ReplaceAllString(pattern[:n], "$1"), pattern[n:]
	}
	if strings.ContainsAny(device, "*?") || !strings.HasPrefix(name, "/") {
		return nil
	}
	const cost = 100 // of reading a directory
	found := []string{device}
	for part := range strings.SplitSeq(name[1:], "/") {
		var next []string
		literal, wild := escaped.ReplaceAllString(part, "$1"), isWild(part)
		for _, dir := range found {
			names := []string{literal}
			if wild {
				if in.spend(at, cost) != nil {
					return nil // the command fails later for the same reason
				}
				names = in.list(dir + "/")
			}
			for _, name := range names {
				if in.spend(at, len(dir)+len(part)+len(name)) != nil {
					return nil
				}
				if ok, _ := path.Match(part, name); ok || !wild {
					next = append(next, dir+"/"+name)
				}
			}
		}
		found = next
	}
	var names []string
	for _, name := range found {
		info := in.stat(name)
		if info != nil && (info.IsDir() || !strings.HasSuffix(name, "/")) {
			names = append(names, name)
		}
	}
	return names
}

// isWild reports whether a component of a pattern has wildcards.
func isWild(part string) bool {
	return strings.ContainsAny(escaped.ReplaceAllString(part, ""), "*?")
}

// list returns a directory's content.
func (in *interpreter) list(dir string) []string {
	f, ok := in.file(dir)
	if !ok {
		return nil
	}
	return f.Volume.List(f.Name)
}
