// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFetchHTTP(t *testing.T) {
	const half = 100000
	resumed := fmt.Sprintf("bytes=%d-", half)
	tests := []struct {
		name   string
		handle func(n int, w http.ResponseWriter, r *http.Request)
		limits Limits
		sum    Sum
		want   []byte // nil if err is not
		err    error
		text   string   // part of the error
		ranges []string // of the requests
	}{
		{
			name:   "whole",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) },
			sum:    sum(content), want: content, ranges: []string{""},
		},
		{
			name: "chunked, without a length",
			handle: func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Write(content[:half])
				w.(http.Flusher).Flush()
				w.Write(content[half:])
			},
			want: content, ranges: []string{""},
		},
		{
			name: "cut, resumed by ETag",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"v1"`)
				if n == 0 {
					cutAfter(w, half)
				}
				serve(w, r)
			},
			sum: sum(content), want: content, ranges: []string{"", resumed},
		},
		{
			name: "cut, resumed by Last-Modified, and a failure between",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				modified := time.Now().Add(-time.Hour)
				w.Header().Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
				switch n {
				case 0:
					cutAfter(w, half)
				case 1:
					http.Error(w, "busy", http.StatusServiceUnavailable)
				default:
					http.ServeContent(w, r, "", modified, bytes.NewReader(content))
				}
			},
			sum: sum(content), want: content, ranges: []string{"", resumed, resumed},
		},
		{
			name: "cut, and changed in between",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, n))
				if n == 0 {
					cutAfter(w, half)
				}
				serve(w, r)
			},
			sum: sum(content), want: content, ranges: []string{"", resumed},
		},
		{
			name: "cut, and ranges are not supported",
			handle: func(n int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `"v1"`)
				if n == 0 {
					cutAfter(w, half)
				}
				w.Write(content)
			},
			sum: sum(content), want: content, ranges: []string{"", resumed},
		},
		{
			name: "cut, without and with a weak validator",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				if n == 1 {
					w.Header().Set("ETag", `W/"v1"`)
				}
				if n < 2 {
					cutAfter(w, half)
				}
				serve(w, r)
			},
			sum: sum(content), want: content, ranges: []string{"", "", ""},
		},
		{
			name: "another range than asked for",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"v1"`)
				switch n {
				case 0:
					cutAfter(w, half)
				case 1:
					w.Header().Set("Content-Range", fmt.Sprintf("bytes 5-%d/%d", len(content)-1, len(content)))
					w.WriteHeader(http.StatusPartialContent)
					w.Write(content[5:])
				default:
					serve(w, r)
				}
			},
			sum: sum(content), want: content, ranges: []string{"", resumed, ""},
		},
		{
			name: "a range without being asked",
			handle: func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusPartialContent)
				w.Write(content)
			},
			err: ErrRefused, text: "206", ranges: []string{""},
		},
		{
			name:   "always cut",
			handle: func(_ int, w http.ResponseWriter, _ *http.Request) { cutAfter(w, half) },
			err:    errBroken, text: "attempt 3 of 3", ranges: []string{"", "", ""},
		},
		{
			name: "a length that lies",
			handle: func(_ int, w http.ResponseWriter, _ *http.Request) {
				conn, buf, _ := w.(http.Hijacker).Hijack()
				fmt.Fprintf(buf, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(content)+1, content)
				buf.Flush()
				conn.Close()
			},
			err: errBroken, ranges: []string{"", "", ""},
		},
		{
			name: "stalled once",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				if n == 0 {
					stall(w, r)
				}
				serve(w, r)
			},
			want: content, ranges: []string{"", ""},
		},
		{
			name:   "always stalled",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) { stall(w, r) },
			limits: Limits{Attempts: 2}, err: ErrTimeout, text: "nothing for 300ms", ranges: []string{"", ""},
		},
		{
			name:   "no answer",
			handle: func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			limits: Limits{Attempts: 1}, err: ErrTimeout, ranges: []string{""},
		},
		{
			name:   "too big by its length",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) },
			limits: Limits{MaxSize: 1000}, err: ErrTooBig, ranges: []string{""},
		},
		{
			name: "endless",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) {
				for r.Context().Err() == nil {
					w.Write(content)
				}
			},
			limits: Limits{MaxSize: 3 << 20}, err: ErrTooBig, ranges: []string{""},
		},
		{
			name:   "wrong digest",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) },
			sum:    Sum{SHA256: make([]byte, 32)}, err: ErrSum, text: "attempt 2 of 3", ranges: []string{"", ""},
		},
		{
			name:   "wrong size",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) },
			sum:    Sum{Size: 5}, err: ErrSum, ranges: []string{"", ""},
		},
		{
			name:   "wrong size, without a length",
			handle: func(_ int, w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); w.Write(content[:5000]) },
			sum:    Sum{Size: 5}, err: ErrSum, ranges: []string{"", ""},
		},
		{
			name:   "not found",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
			err:    ErrNotFound, text: "attempt 1 of 3", ranges: []string{""},
		},
		{
			name:   "forbidden",
			handle: func(_ int, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
			err:    ErrRefused, text: "403", ranges: []string{""},
		},
		{
			name: "endless redirects",
			handle: func(n int, w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, fmt.Sprintf("/%d", n), http.StatusFound)
			},
			err: ErrRefused, text: "more than 10 redirects", ranges: make([]string, 11),
		},
		{
			name: "redirect to a file",
			handle: func(_ int, w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
			},
			err: ErrRefused, ranges: []string{""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, (*httptest.Server).Start, tt.handle)
			f := quick()
			f.MaxSize = tt.limits.MaxSize
			if tt.limits.Attempts > 0 {
				f.Attempts = tt.limits.Attempts
			}
			dir := t.TempDir()
			err := f.Fetch(t.Context(), s.URL+"/vmlinuz", filepath.Join(dir, "kernel"), tt.sum)
			checkFetched(t, dir, err, tt.want, tt.err, tt.text)
			if err != nil && !strings.Contains(err.Error(), s.URL+"/vmlinuz") {
				t.Errorf("error %q does not name the URL", err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if diff := cmp.Diff(tt.ranges, s.ranges); diff != "" {
				t.Errorf("ranges of the requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFetchTLS(t *testing.T) {
	plain := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) })
	secure := newServer(t, (*httptest.Server).StartTLS, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, plain.URL, http.StatusFound)
			return
		}
		serve(w, r)
	})
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	tests := []struct {
		name, url string
		roots     *x509.CertPool
		err       error
		text      string
	}{
		{name: "trusted", url: secure.URL, roots: roots},
		{name: "unknown authority", url: secure.URL, err: ErrCertificate, text: "attempt 1 of 3"},
		{name: "another name", url: strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), roots: roots, err: ErrCertificate},
		{name: "redirect from https to http", url: secure.URL + "/down", roots: roots, err: ErrRefused, text: "from https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := quick()
			f.Roots = tt.roots
			f.Idle = 0 // the default: a handshake takes long on a busy machine
			dir := t.TempDir()
			err := f.Fetch(t.Context(), tt.url, filepath.Join(dir, "kernel"), Sum{})
			checkFetched(t, dir, err, content, tt.err, tt.text)
		})
	}
}
