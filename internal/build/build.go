// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package build says what a program was built from.
package build

import (
	"runtime/debug"
	"strings"
)

// Info is what the build recorded. Go and Revision are "" if it did not.
type Info struct {
	Version  string `json:"version"`
	Go       string `json:"go,omitempty"`
	Revision string `json:"revision,omitempty"`
}

// Of returns what the running program of this version was built from.
func Of(version string) Info {
	out := Info{Version: version}
	if info, ok := debug.ReadBuildInfo(); ok {
		out.Go = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				out.Revision = s.Value
			}
		}
	}
	return out
}

// String implements fmt.Stringer.
func (i Info) String() string {
	return strings.TrimSpace(strings.Join([]string{i.Version, i.Go, i.Revision}, " "))
}
