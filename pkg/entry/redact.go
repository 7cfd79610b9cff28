// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package entry

import "regexp"

// userinfo matches the scheme of a URL, and the user and password after it.
var userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s"<>/?#]*@`)

// Redact replaces the users and passwords in the URLs of a text by xxxxx. It
// replaces users because they may be tokens.
func Redact(text string) string {
	return userinfo.ReplaceAllString(text, "${1}xxxxx@")
}
