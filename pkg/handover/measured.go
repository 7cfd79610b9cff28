// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrNotMeasured means that a file of the target is in no record.
var ErrNotMeasured = refusal.New(refusal.NotMeasured, "not measured")

// Measured looks for a record of a file's content, by its digest, and returns
// the number of the first one; 0 if there is none. Digests by hashes that are
// no bank's are passed over, as are those of fs-verity, which are not of the
// content.
func (l *List) Measured(content []byte) int {
	sums := map[pcr.Algorithm][]byte{}
	for r := range l.All {
		if r.Violation() {
			continue
		}
		a, digest, ok := r.contentDigest()
		if !ok || len(digest) != a.Size() {
			continue
		}
		sum := sums[a]
		if sum == nil {
			sum = a.Sum(content)
			sums[a] = sum
		}
		if bytes.Equal(sum, digest) {
			return r.Number
		}
	}
	return 0
}

// contentDigest is the first field of a record whose template has one.
func (r *Record) contentDigest() (pcr.Algorithm, []byte, bool) {
	if string(r.Name) == imaName {
		return pcr.SHA1, r.Data[:sha1Size], true
	}
	value, _, err := r.cut(r.Data)
	if err != nil {
		return "", nil, false
	}
	name, digest, ok := splitDigest(value)
	return pcr.Algorithm(strings.TrimPrefix(name, "ima:")), digest, ok
}
