// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import "strings"

// CrashKernel returns how many bytes a kernel with this command line and total
// bytes of memory reserves for a crash kernel, and at which address. base is 0 if
// the kernel chooses the place; size is 0 if it reserves nothing.
//
// It is parse_crashkernel of kernel/crash_reserve.c for an architecture that
// knows no memory above or below 4 GiB. Requests with the suffix ,high or ,low,
// and memory that crash kernels share with others (,cma), do not count.
func CrashKernel(line string, total uint64) (size, base uint64) {
	request, ok := lastCrashKernel(line)
	if !ok {
		return 0, 0
	}
	if strings.Contains(request, ":") {
		size, base, ok = crashRanges(request, total)
	} else {
		size, base, ok = crashSimple(request)
	}
	if !ok || size == 0 || size >= total {
		return 0, 0
	}
	return size, base
}

// crashKinds are the suffixes of requests for other kinds of memory.
var crashKinds = []string{",high", ",low", ",cma"}

// lastCrashKernel returns the last request for plain memory. The kernel does not
// look for words: it searches the raw text, inside quotes, behind "--" and within
// other names as well, and a request ends at a space and at nothing else.
func lastCrashKernel(line string) (request string, ok bool) {
	line, _, _ = strings.Cut(line, "\x00")
	for {
		_, after, found := strings.Cut(line, "crashkernel=")
		if !found {
			return request, ok
		}
		line = after
		if one, _, _ := strings.Cut(after, " "); !hasSuffix(one, crashKinds) {
			request, ok = one, true
		}
	}
}

func hasSuffix(s string, suffixes []string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// crashSimple reads SIZE[@OFFSET]. Whatever follows the offset is passed over.
func crashSimple(request string) (size, base uint64, ok bool) {
	size, rest, ok := Size(request)
	if !ok {
		return 0, 0, false
	}
	if offset, found := strings.CutPrefix(rest, "@"); found {
		base, _, _ = Size(offset)
		return size, base, true
	}
	return size, 0, rest == ""
}

// crashRanges reads START-[END]:SIZE[,...][@OFFSET]. The first range that holds
// the size of the machine's memory counts; the text behind it is only searched
// for an offset.
func crashRanges(request string, total uint64) (size, base uint64, ok bool) {
	const granule = 128 << 20 // firmware keeps some memory for itself
	total = (total + granule - 1) &^ (granule - 1)
	for rest := request; ; {
		var holds bool
		size, holds, rest, ok = crashRange(rest, total)
		switch {
		case !ok:
			return 0, 0, false
		case holds:
			if _, offset, found := strings.Cut(rest, "@"); found && size > 0 {
				base, _, ok = Size(offset)
			}
			return size, base, ok
		case !strings.HasPrefix(rest, ","):
			return 0, 0, true
		}
		rest = rest[1:]
	}
}

// crashRange reads one START-[END]:SIZE, and reports whether it holds total. A
// size of all memory or more is a fault, also of a range that does not count.
func crashRange(s string, total uint64) (size uint64, holds bool, rest string, ok bool) {
	start, s, ok := Size(s)
	s, dash := strings.CutPrefix(s, "-")
	if !ok || !dash {
		return 0, false, "", false
	}
	holds = total >= start
	if !strings.HasPrefix(s, ":") {
		var end uint64
		if end, s, ok = Size(s); !ok || end <= start {
			return 0, false, "", false
		}
		holds = holds && total < end
	}
	s, colon := strings.CutPrefix(s, ":")
	size, rest, ok = Size(s)
	return size, holds, rest, colon && ok && size < total
}
