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

// ErrNotMeasured means that no record of the list covers a file of the target.
var ErrNotMeasured = refusal.New(refusal.NotMeasured, "target file not measured")

// Measured returns the number of the first record that measured a file with
// this content, or 0 if there is none. It compares digests. It skips digests
// whose hash no bank uses, and those of fs-verity, which do not cover the
// content itself. It trusts every record; Report.Measured trusts only proven
// ones.
func (l *List) Measured(content []byte) int {
	return l.measured(content, func(*Record) bool { return true })
}

// Measured does what List.Measured does for the report's list. If a PCR was
// compared, it accepts only records that the PCR proves. Otherwise it accepts
// all, and the verdict says that nothing is proven.
func (r *Report) Measured(l *List, content []byte) int {
	if r.Verdict == NoTPM {
		return l.Measured(content)
	}
	return l.measured(content, func(record *Record) bool { return r.Proves(l, record) })
}

func (l *List) measured(content []byte, believe func(*Record) bool) int {
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
		if bytes.Equal(sum, digest) && believe(&r) {
			return r.Number
		}
	}
	return 0
}

// contentDigest returns the algorithm and value of the digest in a record, if
// its template has one.
func (r *Record) contentDigest() (pcr.Algorithm, []byte, bool) {
	if string(r.Name) == imaName {
		return pcr.SHA1, r.Data[:sha1Size], true
	}
	value, _, err := r.cut(r.Data)
	if bytes.IndexByte(r.Name, '|') >= 0 {
		value, err = r.digestField()
	}
	if err != nil {
		return "", nil, false
	}
	name, digest, ok := splitDigest(value)
	return pcr.Algorithm(strings.TrimPrefix(name, "ima:")), digest, ok
}

// digestField returns the digest field of a record whose template name is a
// format.
func (r *Record) digestField() ([]byte, error) {
	all, err := r.Fields()
	for _, f := range all {
		if f.ID == "d-ng" || f.ID == "d-ngv2" {
			return f.Data, nil
		}
	}
	return nil, err
}
