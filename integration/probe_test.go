// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"os"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/pkg/archdesc"
)

// TestProbe asks of every kernel of the lab whether it can restore a list. It
// also asks this of kernels that are cut short, and of kernels under the names
// of other architectures.
func TestProbe(t *testing.T) {
	want := map[string]struct {
		arch     string
		restores bool
	}{
		lab.Debian61: {ppc64le, false}, lab.DebianNew: {ppc64le, false},
		lab.Own4k: {ppc64le, true}, lab.Own64k: {ppc64le, true},
		lab.Debian61S390X: {s390x, false}, lab.DebianNewS390X: {s390x, false},
		lab.OwnS390X:      {s390x, true},
		lab.Debian61AMD64: {amd64, true}, lab.Debian612AMD64: {amd64, true}, lab.DebianNewAMD64: {amd64, true},
	}
	for _, name := range kernels {
		t.Run(name, func(t *testing.T) {
			w, ok := want[name]
			if !ok {
				t.Fatal("nothing is known of this kernel")
			}
			image, err := os.ReadFile(kernel(t, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range archdesc.Names() {
				arch, err := archdesc.ByName(other)
				if err != nil {
					t.Fatal(err)
				}
				if err := arch.Recognise(image); (err == nil) != (other == w.arch) {
					t.Errorf("%s: %v", other, err)
				}
				if other != w.arch {
					continue
				}
				if s := arch.Restores(image); s.OK != w.restores {
					t.Errorf("restores: %+v, want %v", s, w.restores)
				}
				if s := arch.Unpacks(image, nil); !s.OK {
					t.Errorf("unpacks: %+v", s)
				}
				for _, n := range []int{0, 1, 63, 64, 4096, 0x10400, 0x10480, len(image) / 2, len(image) - 1} {
					// After the part that is loaded, an ELF
					// file has symbols, a bzImage may have
					// a signature, and a flat image has
					// nothing.
					if n >= len(image)/2 && w.arch == ppc64le || n == len(image)-1 && w.arch == amd64 {
						continue
					}
					if err := arch.Recognise(image[:n]); err == nil {
						t.Errorf("%d of %d bytes are taken for a kernel", n, len(image))
					}
					if s := arch.Restores(image[:n]); s.OK && w.arch == s390x {
						t.Errorf("%d of %d bytes restore: %+v", n, len(image), s)
					}
				}
			}
		})
	}
}
