// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"go/build"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// builtEverywhere reports whether Go compiles a file of that name on every
// host. The two hosts share neither system nor architecture, so that at least
// one of them leaves out a file whose name ends in either.
func builtEverywhere(t *testing.T, name string) bool {
	t.Helper()
	for _, host := range [][2]string{{"linux", "ppc64le"}, {"windows", "amd64"}} {
		c := build.Default
		c.GOOS, c.GOARCH = host[0], host[1]
		c.OpenFile = func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("package archdesc\n")), nil
		}
		ok, err := c.MatchFile(".", name)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return false
		}
	}
	return true
}

// TestBuiltEverywhere shows which names Go takes for build constraints.
func TestBuiltEverywhere(t *testing.T) {
	for name, want := range map[string]bool{
		"arm64.go":                true,
		"arm64_image.go":          true,
		"arm64_image_test.go":     true,
		"fdt_arm64.go":            false,
		"fdt_ppc64le.go":          false,
		"fdt_arm64_test.go":       false,
		"fdt_linux.go":            false,
		"fdt_windows_test.go":     false,
		"fdt_linux_s390x.go":      false,
		"fdt_linux_s390x_test.go": false,
	} {
		if got := builtEverywhere(t, name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// TestFilesBuiltEverywhere keeps every architecture plannable on every host.
func TestFilesBuiltEverywhere(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !builtEverywhere(t, name) {
			t.Errorf("Go takes the end of %s for a build constraint: call it ARCH_role.go", name)
		}
	}
}

// TestRoles compares the files of every architecture with the list in README.md.
// The architecture's document must explain a role without a file.
func TestRoles(t *testing.T) {
	required := func(arch string) []string {
		return []string{arch + ".go", "docs/" + arch + ".md", "testdata/" + arch}
	}
	optional := func(arch string) []string {
		return []string{arch + "_image.go", arch + "_params.go", arch + "_memory.go", arch + "_trampoline.go", "asm/" + arch + ".S"}
	}
	for _, arch := range Names() {
		for _, name := range required(arch) {
			if _, err := os.Stat(name); err != nil {
				t.Error(err)
			}
		}
		doc, err := os.ReadFile("docs/" + arch + ".md")
		if err != nil {
			t.Error(err)
		}
		for _, name := range optional(arch) {
			_, err := os.Stat(name)
			if err != nil && !strings.Contains(string(doc), "`"+name+"`") {
				t.Errorf("%s is missing, and docs/%s.md does not say why", name, arch)
			}
		}
		names, err := filepath.Glob(arch + "_*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source := strings.Replace(name, "_test.go", ".go", 1)
			if source != arch+".go" && !slices.Contains(optional(arch), source) {
				t.Errorf("%s has no role of those in README.md", name)
			}
		}
	}
}
