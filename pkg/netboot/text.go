// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
)

// checkText refuses what no configuration has: bytes that control a terminal,
// or that say that it is a program.
func checkText(b []byte) error {
	if len(b) > entry.MaxConfig {
		return fmt.Errorf("%w: more than %d bytes", entry.ErrConfig, entry.MaxConfig)
	}
	line := 1
	for _, c := range b {
		switch {
		case c == '\n':
			line++
		case c < ' ' && c != '\t' && c != '\r' || c == 0x7f:
			return fmt.Errorf("%w: line %d: control character %#02x: no text", entry.ErrConfig, line, c)
		}
	}
	return nil
}

// lines are those of a text, trimmed.
func lines(text []byte) []string {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	all := strings.Split(string(text), "\n")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// resolve is what a name in a configuration of PXELINUX means. One without a
// slash in front is put behind the prefix as it is, which need not end in a
// slash (RFC 5071, section 5). HOST::PATH is PXELINUX's own form of a URL.
func resolve(prefix *url.URL, name string) (string, error) {
	if host, file, found := strings.Cut(name, "::"); found && !strings.Contains(host, "/") {
		u := url.URL{Scheme: "tftp", Host: host, Path: path.Clean("/" + file)}
		if host == "" {
			u.Scheme, u.Host = prefix.Scheme, prefix.Host
		}
		return u.String(), nil
	}
	u, err := url.Parse(name)
	switch {
	case err == nil && fetch.Loadable(u):
		return u.String(), nil
	case err != nil || u.Scheme != "" || u.Host != "" || u.Path == "":
		return "", fmt.Errorf("no file that can be loaded: %s", entry.Printable(name))
	}
	to := *prefix
	to.RawQuery, to.Fragment, to.RawPath = u.RawQuery, "", ""
	if !path.IsAbs(u.Path) {
		u.Path = prefix.Path + u.Path
	}
	to.Path = path.Clean("/" + u.Path)
	return to.String(), nil
}

// directory is where a file is, with a slash behind it.
func directory(file *url.URL) *url.URL {
	d := *file
	d.Path, d.RawPath, d.RawQuery, d.Fragment = file.Path[:strings.LastIndexByte(file.Path, '/')+1], "", "", ""
	return &d
}
