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
// content. It believes every record: Report.Measured only those that are proven.
func (l *List) Measured(content []byte) int {
	return l.measured(content, func(*Record) bool { return true })
}

// Measured is List.Measured of the list that the report is of. Where a PCR was
// compared, only records count that it proves. Where there was none, all do, and
// the verdict says that nothing is proven.
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

// contentDigest is the digest of a record whose template has one.
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

// digestField is the digest in a format of fields.
func (r *Record) digestField() ([]byte, error) {
	all, err := r.Fields()
	for _, f := range all {
		if f.ID == "d-ng" || f.ID == "d-ngv2" {
			return f.Data, nil
		}
	}
	return nil, err
}
