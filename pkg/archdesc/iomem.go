// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrNoPrivilege means that the kernel hides something which a plan needs.
var ErrNoPrivilege = refusal.New(refusal.NotPrivileged, "not privileged")

// parseIOMem reads system memory and crash kernel areas from the text of
// /proc/iomem (kernel/resource.c). Children, which are indented, are not cut out
// of their parents: each architecture knows by itself what must not be
// overwritten.
//
// u-root's parser reads only the running machine, and cuts out the children.
func parseIOMem(r io.Reader) (ram, crash Ranges, err error) {
	var allRAM, allCrash []Range
	s := bufio.NewScanner(r)
	for line := 1; s.Scan(); line++ {
		span, name, ok := strings.Cut(strings.TrimSpace(s.Text()), " : ")
		if !ok {
			continue
		}
		var dst *[]Range
		switch name {
		case "System RAM":
			dst = &allRAM
		case "Crash kernel":
			dst = &allCrash
		default:
			continue
		}
		r, err := parseSpan(span)
		if err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", line, err)
		}
		*dst = append(*dst, r)
	}
	if err := s.Err(); err != nil {
		return nil, nil, err
	}
	if len(allRAM) == 0 {
		return nil, nil, errors.New("no System RAM is listed")
	}
	return newRanges(allRAM), newRanges(allCrash), nil
}

// parseSpan reads a range of /proc/iomem, of which the last byte is named. A
// kernel that hides addresses writes zeros.
func parseSpan(span string) (Range, error) {
	first, last, ok := strings.Cut(span, "-")
	if !ok {
		return Range{}, fmt.Errorf("%q is no range", span)
	}
	start, err := strconv.ParseUint(first, 16, 64)
	if err != nil {
		return Range{}, err
	}
	end, err := strconv.ParseUint(last, 16, 64)
	if err != nil {
		return Range{}, err
	}
	if end < start || end == ^uint64(0) {
		return Range{}, fmt.Errorf("%q is no range", span)
	}
	if end == 0 {
		return Range{}, fmt.Errorf("%w: addresses are hidden, CAP_SYS_ADMIN is needed", ErrNoPrivilege)
	}
	return Range{Addr(start), Addr(end) + 1}, nil
}
