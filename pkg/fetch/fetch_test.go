// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// content is what servers serve: longer than any buffer, and irregular.
var content = func() []byte {
	var b bytes.Buffer
	for i := range 40000 {
		fmt.Fprintf(&b, "%d ", i)
	}
	return b.Bytes()
}()

func sum(b []byte) Sum {
	s := sha256.Sum256(b)
	return Sum{Size: int64(len(b)), SHA256: s[:]}
}

// quick returns a Fetcher that does not wait long.
func quick() *Fetcher {
	return &Fetcher{Limits: Limits{Attempts: 3, Idle: 300 * time.Millisecond, Backoff: time.Millisecond}}
}

// A server tells its handler how many requests came before, and records their
// Range headers.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func newServer(t *testing.T, start func(*httptest.Server), handle func(n int, w http.ResponseWriter, r *http.Request)) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.ranges)
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		s.mu.Unlock()
		handle(n, w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s.Server)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// cutAfter sends n bytes of the content, then closes the connection.
func cutAfter(w http.ResponseWriter, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func serve(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func stall(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:1000])
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// checkFetched checks that dir holds the file and nothing else, or that err is
// the wanted error and dir is empty.
func checkFetched(t *testing.T, dir string, err error, want []byte, wantErr error, text string) {
	t.Helper()
	if wantErr != nil {
		if !errors.Is(err, wantErr) || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want %v, and %q in it", err, wantErr, text)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%v is left over", left)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "kernel"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got %d other bytes, want %d", len(got), len(want))
	}
	if all, _ := os.ReadDir(dir); len(all) != 1 {
		t.Errorf("%v is there", all)
	}
}

func TestFetchContext(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "busy", http.StatusServiceUnavailable)
	})
	f := &Fetcher{Limits: Limits{Attempts: 1000, Backoff: 20 * time.Millisecond}}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := f.Fetch(ctx, s.URL, filepath.Join(t.TempDir(), "kernel"), Sum{})
	if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want ErrTimeout and DeadlineExceeded", err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := f.Fetch(ctx, s.URL, filepath.Join(t.TempDir(), "kernel"), Sum{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
}

func TestFetchRefused(t *testing.T) {
	for _, u := range []string{"", "kernel", "ftp://host/kernel", "http:///kernel", "file:///etc/passwd", "http://host/\x01", "tftp://host"} {
		dir := t.TempDir()
		err := quick().Fetch(t.Context(), u, filepath.Join(dir, "kernel"), Sum{})
		checkFetched(t, dir, err, nil, ErrRefused, "")
	}
	if err := quick().Fetch(t.Context(), "http://host/x", "/nonexistent/kernel", Sum{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

func TestFetchPassword(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) })
	u := strings.Replace(s.URL, "http://", "http://user:secret@", 1)
	err := quick().Fetch(t.Context(), u, filepath.Join(t.TempDir(), "kernel"), Sum{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v shows the password", err)
	}
}

func TestProgress(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "20")
		for range 20 {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
		}
	})
	var calls []time.Time
	f := &Fetcher{Progress: func(url string, done, total int64) {
		calls = append(calls, time.Now())
		if url != s.URL || done < 1 || done > 20 || total != 20 {
			t.Errorf("progress %q %d %d", url, done, total)
		}
	}}
	if err := f.Fetch(t.Context(), s.URL, filepath.Join(t.TempDir(), "kernel"), Sum{}); err != nil {
		t.Fatal(err)
	}
	if len(calls) < 2 || len(calls) > 4 {
		t.Errorf("%d calls in 1.2 s", len(calls))
	}
	for i := 1; i < len(calls); i++ {
		if d := calls[i].Sub(calls[i-1]); d < everyProgress-10*time.Millisecond {
			t.Errorf("%v between two calls", d)
		}
	}
}

func TestText(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			w.Write(make([]byte, 2<<20))
			return
		}
		w.Write([]byte("default linux\n"))
	})
	got, err := quick().Text(t.Context(), s.URL)
	if err != nil || string(got) != "default linux\n" {
		t.Errorf("Text = %q, %v", got, err)
	}
	if _, err := quick().Text(t.Context(), s.URL+"/big"); !errors.Is(err, ErrTooBig) {
		t.Errorf("error %v, want ErrTooBig", err)
	}
}

func TestWait(t *testing.T) {
	for try, most := range []time.Duration{1: 500 * time.Millisecond, 2: time.Second, 5: 8 * time.Second, 90: 8 * time.Second} {
		if try == 0 || most == 0 {
			continue
		}
		for range 100 {
			if d := wait(500*time.Millisecond, try); d < most/2 || d > most {
				t.Errorf("wait(500ms, %d) = %v", try, d)
			}
		}
	}
}

func TestParseSum(t *testing.T) {
	digest := sum(content).SHA256
	tests := []struct {
		text string
		want []byte
	}{
		{"sha256:" + hex.EncodeToString(digest), digest},
		{"sha256:" + strings.ToUpper(hex.EncodeToString(digest)), digest},
		{"sha256:", nil},
		{"sha256:12", nil},
		{"sha256:" + strings.Repeat("x", 64), nil},
		{"sha512:" + strings.Repeat("00", 64), nil},
		{hex.EncodeToString(digest), nil},
		{"", nil},
	}
	for _, tt := range tests {
		got, err := ParseSum(tt.text)
		if (err == nil) != (tt.want != nil) || !bytes.Equal(got.SHA256, tt.want) {
			t.Errorf("ParseSum(%q) = %x, %v, want %x", tt.text, got.SHA256, err, tt.want)
		}
	}
}

func FuzzParseSum(f *testing.F) {
	f.Add("sha256:" + strings.Repeat("0a", 32))
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := ParseSum(s); err == nil && len(got.SHA256) != sha256.Size {
			t.Errorf("ParseSum(%q) = %x", s, got.SHA256)
		}
	})
}
