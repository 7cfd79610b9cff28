// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package loader

import (
	"fmt"

	"github.com/imaboot/imaboot/pkg/entry"
)

// maxWalked bounds the parts of all paths that one configuration has looked up.
// A real one needs some hundred; each may cost ten microseconds.
const maxWalked = 1 << 17

var errTooMuch = fmt.Errorf("%w: the paths of its files have more than %d parts", entry.ErrConfig, maxWalked)

// Paths looks up the files of one configuration, within a bound: links may make
// each name a long way.
type Paths struct{ walked int }

// Path is Volume.Path. When the bound is exceeded, there are no more files.
func (p *Paths) Path(v *entry.Volume, name string) (string, error) {
	if p.walked > maxWalked {
		return "", errTooMuch
	}
	before := v.Walked()
	at, err := v.Path(name)
	p.walked += v.Walked() - before
	return at, err
}
