// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"net/url"
	"strings"
)

// Loadable reports whether a Fetcher can download a URL: its scheme is tftp,
// http or https, and it names a host.
func Loadable(u *url.URL) bool {
	return u.Host != "" && (u.Scheme == "tftp" || u.Scheme == "http" || u.Scheme == "https")
}

// redactAll replaces all that may be a password in a text that is no URL, or one
// that does not parse.
func redactAll(text string) string {
	end := strings.LastIndex(text, "@")
	if end < 0 {
		return text
	}
	scheme, _, ok := strings.Cut(text[:end], "://")
	if !ok {
		return "xxxxx" + text[end:]
	}
	return scheme + "://xxxxx" + text[end:]
}
