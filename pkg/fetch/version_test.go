// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// swapped is another version of content, of the same length.
var swapped = bytes.ToUpper(bytes.ReplaceAll(content, []byte("1"), []byte("7")))

// TestResume: after a download broke, the file is one version of it, whatever
// the server answers to the request for the rest.
func TestResume(t *testing.T) {
	const half = 100000
	rest := fmt.Sprintf("bytes=%d-", half)
	old := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	date := old.Format(http.TimeFormat)
	newer := old.Add(time.Hour).Format(http.TimeFormat)
	// part answers with a range of a file.
	part := func(w http.ResponseWriter, file []byte, first, last, all int) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, all))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(file[first : last+1])
	}
	n := len(content)
	tests := []struct {
		name  string
		first http.Header // of the answer that breaks
		// then answers the request for the rest with the header second. The
		// third request gets content.
		second http.Header
		then   func(w http.ResponseWriter, r *http.Request)
		want   []byte
		ranges []string
	}{
		{
			name: "the same tag", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, content, half, n-1, n) },
			want: content, ranges: []string{"", rest},
		},
		{
			name: "the same date", first: http.Header{"Last-Modified": {date}}, second: http.Header{"Last-Modified": {date}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, content, half, n-1, n) },
			want: content, ranges: []string{"", rest},
		},
		{
			name: "the same tag, without the date", first: http.Header{"Etag": {`"a"`}, "Last-Modified": {date}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, content, half, n-1, n) },
			want: content, ranges: []string{"", rest},
		},
		{
			name: "If-Range is ignored: another tag", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"b"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "If-Range is ignored: a weak tag", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`W/"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "If-Range is ignored: no tag", first: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "If-Range is ignored: another date", first: http.Header{"Last-Modified": {date}}, second: http.Header{"Last-Modified": {newer}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "If-Range is ignored: no date", first: http.Header{"Last-Modified": {date}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "the same date, another weak tag", first: http.Header{"Etag": {`W/"a"`}, "Last-Modified": {date}}, second: http.Header{"Etag": {`W/"b"`}, "Last-Modified": {date}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "the same tag, another date", first: http.Header{"Etag": {`"a"`}, "Last-Modified": {date}}, second: http.Header{"Etag": {`"a"`}, "Last-Modified": {newer}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "the rest in another encoding", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}, "Content-Encoding": {"gzip"}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, swapped, half, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "an earlier range", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, content, 0, n-1, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "a part of the rest", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, content, half, n-2, n) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "another total", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { part(w, content, half, n-2, n-1) },
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "a total that is not known", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}, "Content-Range": {fmt.Sprintf("bytes %d-%d/*", half, n-1)}},
			then: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusPartialContent)
				w.Write(content[half:])
			},
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "several parts", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}, "Content-Type": {"multipart/byteranges; boundary=x"}},
			then: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusPartialContent)
				fmt.Fprintf(w, "--x\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%s\r\n--x--\r\n", half, n-1, n, content[half:])
			},
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "more than its range says", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}, "Content-Range": {fmt.Sprintf("bytes %d-%d/%d", half, n-1, n)}},
			then: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusPartialContent)
				w.Write(append(bytes.Clone(content[half:]), "and more"...))
			},
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "Range is ignored", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { w.Write(content) },
			want: content, ranges: []string{"", rest},
		},
		{
			name: "another version, whole", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"b"`}},
			then: func(w http.ResponseWriter, _ *http.Request) { w.Write(swapped[:half+5]) },
			want: swapped[:half+5], ranges: []string{"", rest},
		},
		{
			name: "the rest does not exist any more", first: http.Header{"Etag": {`"a"`}}, second: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "no", http.StatusRequestedRangeNotSatisfiable)
			},
			want: content, ranges: []string{"", rest, ""},
		},
		{
			name: "HTTP/1.0 without a length", first: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) {
				conn, buf, _ := w.(http.Hijacker).Hijack()
				fmt.Fprintf(buf, "HTTP/1.0 200 OK\r\n\r\n%s", content)
				buf.Flush()
				conn.Close()
			},
			want: content, ranges: []string{"", rest},
		},
		{
			name: "HTTP/1.0 with ranges", first: http.Header{"Etag": {`"a"`}},
			then: func(w http.ResponseWriter, _ *http.Request) {
				conn, buf, _ := w.(http.Hijacker).Hijack()
				fmt.Fprintf(buf, "HTTP/1.0 206 Partial\r\nETag: \"a\"\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%s", half, n-1, n, content[half:])
				buf.Flush()
				conn.Close()
			},
			want: content, ranges: []string{"", rest},
		},
		{
			name: "half of a tag", first: http.Header{"Etag": {`"`}},
			then: func(w http.ResponseWriter, r *http.Request) { serve(w, r) },
			want: content, ranges: []string{"", ""},
		},
		{
			name: "modified when it was sent", first: http.Header{"Last-Modified": {date}, "Date": {date}},
			then: func(w http.ResponseWriter, r *http.Request) { serve(w, r) },
			want: content, ranges: []string{"", ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, (*httptest.Server).Start, func(n int, w http.ResponseWriter, r *http.Request) {
				maps.Copy(w.Header(), []http.Header{tt.first, tt.second, nil}[n])
				switch n {
				case 0:
					cutAfter(w, half)
				case 1:
					tt.then(w, r)
				default:
					serve(w, r)
				}
			})
			dir := t.TempDir()
			f := quick()
			f.Idle = 0
			err := f.Fetch(t.Context(), s.URL+"/vmlinuz", filepath.Join(dir, "kernel"), Sum{})
			checkFetched(t, dir, err, tt.want, nil, "")
			s.mu.Lock()
			defer s.mu.Unlock()
			if diff := cmp.Diff(tt.ranges, s.ranges); diff != "" {
				t.Errorf("ranges of the requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEncoding: a file that the server compresses on its way is not the file.
func TestEncoding(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(content)
	z.Close()
	for _, tt := range []struct {
		path, encoding string
		err            error
	}{
		{"/vmlinuz", "gzip", ErrRefused},
		{"/vmlinuz", "br", ErrRefused},
		{"/vmlinuz", "identity", nil},
		{"/initrd.gz", "x-gzip", nil},
		{"/initrd.gz", "gzip, gzip", ErrRefused},
		{"/initrd.gz", "br", ErrRefused},
		{"/initrd.xz", "x-xz", nil},
		{"/latest", "GZIP", nil}, // redirects to a name that says so
	} {
		t.Run(tt.path+" "+tt.encoding, func(t *testing.T) {
			s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/latest" {
					http.Redirect(w, r, "/initrd.gz", http.StatusFound)
					return
				}
				if got := r.Header.Get("Accept-Encoding"); got != "identity" {
					t.Errorf("Accept-Encoding: %q", got)
				}
				w.Header().Set("Content-Encoding", tt.encoding)
				w.Write(packed.Bytes())
			})
			dir := t.TempDir()
			err := (&Fetcher{}).Fetch(t.Context(), s.URL+tt.path, filepath.Join(dir, "kernel"), Sum{})
			checkFetched(t, dir, err, packed.Bytes(), tt.err, "encoding")
		})
	}
}

func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"bytes 5-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes 0-9223372036854775807/9223372036854775807", "bytes +1--2/3", "items 0-1/2", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, ok := parseSpan(s); ok && (r.first < 0 || r.first > r.last || r.last >= r.all) {
			t.Errorf("parseSpan(%q) = %+v", s, r)
		}
	})
}
