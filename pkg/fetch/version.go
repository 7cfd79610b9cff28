// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A version is what an answer of HTTP says about the version of a file. The zero
// value stands for one that cannot be told from others.
type version struct {
	// validator is what If-Range takes: a strong ETag, or a date that is
	// strong too (RFC 9110, section 8.8).
	validator string
	// tag and modified are the ETag and Last-Modified, encoding is the
	// Content-Encoding; "" if they are missing.
	tag, modified, encoding string
}

// versionOf returns the zero value if the answer has no strong validator.
func versionOf(h http.Header) version {
	v := version{tag: h.Get("ETag"), modified: h.Get("Last-Modified"), encoding: h.Get("Content-Encoding")}
	switch {
	case len(v.tag) >= 2 && v.tag[0] == '"' && strings.HasSuffix(v.tag, `"`):
		v.validator = v.tag
	case strongDate(h):
		v.validator = v.modified
	default:
		return version{}
	}
	return v
}

// strongDate reports whether a file was last modified well before it was sent:
// it may change twice within one second.
func strongDate(h http.Header) bool {
	modified, err1 := http.ParseTime(h.Get("Last-Modified"))
	date, err2 := http.ParseTime(h.Get("Date"))
	return err1 == nil && err2 == nil && date.Sub(modified) >= time.Second
}

// same reports whether the header of a 206 is about this version. Servers and
// caches that do not know If-Range send a part of whatever they have: the part
// must have the validator that was sent, as RFC 9110 demands for an ETag
// (section 15.3.7), and nothing in it may speak of another version.
func (v version) same(h http.Header) bool {
	tag, modified, encoding := h.Get("ETag"), h.Get("Last-Modified"), h.Get("Content-Encoding")
	return (v.validator == tag || v.validator == modified) &&
		(tag == "" || tag == v.tag) &&
		(modified == "" || modified == v.modified) &&
		(encoding == "" || encoding == v.encoding)
}

// A span is the part of a file that a 206 holds: the bytes from first to last,
// of all.
type span struct{ first, last, all int64 }

// parseSpan reads a Content-Range (RFC 9110, section 14.4). It refuses ranges
// without a length, and those that no file can have.
func parseSpan(text string) (span, bool) {
	unit, text, _ := strings.Cut(text, " ")
	text, length, _ := strings.Cut(text, "/")
	from, to, _ := strings.Cut(text, "-")
	first, err1 := strconv.ParseUint(from, 10, 63)
	last, err2 := strconv.ParseUint(to, 10, 63)
	all, err3 := strconv.ParseUint(length, 10, 63)
	ok := strings.EqualFold(unit, "bytes") && err1 == nil && err2 == nil && err3 == nil && first <= last && last < all
	if !ok {
		return span{}, false
	}
	return span{int64(first), int64(last), int64(all)}, true
}

// encoded returns the Content-Encoding of an answer that is not the file itself,
// or "". Some servers call the format of a compressed file an encoding
// (initrd.gz), and send it as it is.
func encoded(h http.Header, path string) string {
	encoding := strings.ToLower(strings.Join(h.Values("Content-Encoding"), ", "))
	var own []string
	switch {
	case strings.HasSuffix(path, ".gz"), strings.HasSuffix(path, ".tgz"):
		own = []string{"gzip", "x-gzip"}
	case strings.HasSuffix(path, ".xz"):
		own = []string{"xz", "x-xz"}
	case strings.HasSuffix(path, ".zst"):
		own = []string{"zstd"}
	case strings.HasSuffix(path, ".bz2"):
		own = []string{"bzip2", "x-bzip2"}
	}
	if slices.Contains(append(own, "identity"), encoding) {
		return ""
	}
	return encoding
}
