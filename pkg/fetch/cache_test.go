// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imaboot/imaboot/pkg/budget"
)

// TestCache: goroutines that ask for the same file at once get the same one,
// and the server is asked once.
func TestCache(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) })
	dir := filepath.Join(t.TempDir(), "net")
	url := s.URL + "/boot/vmlinuz%20x?mac=1"
	c := NewCache(dir, quick(), map[string]Sum{url: sum(content)}, t.Logf)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			name, err := c.Get(t.Context(), url)
			if want := filepath.Join(dir, "1-vmlinuz20xmac1"); err != nil || name != want {
				t.Errorf("%q, %v, want %q", name, err, want)
			}
		})
	}
	wg.Wait()
	if len(s.ranges) != 1 {
		t.Errorf("%d requests", len(s.ranges))
	}
	other, err := c.Get(t.Context(), s.URL+"/..")
	if err != nil || filepath.Dir(other) != dir {
		t.Errorf("%q, %v", other, err)
	}
	if b, err := os.ReadFile(other); err != nil || !bytes.Equal(b, content) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left over, %v", left, err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestCacheErrors: a file that failed is tried again, and a sum that does not
// match leaves nothing.
func TestCacheErrors(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 0 {
			http.NotFound(w, r)
			return
		}
		serve(w, r)
	})
	dir := t.TempDir()
	bad := s.URL + "/bad"
	c := NewCache(dir, quick(), map[string]Sum{bad: {SHA256: make([]byte, 32)}}, t.Logf)
	if _, err := c.Get(t.Context(), s.URL); !errors.Is(err, ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	if _, err := c.Get(t.Context(), s.URL); err != nil {
		t.Error(err)
	}
	if _, err := c.Get(t.Context(), bad); !errors.Is(err, ErrSum) {
		t.Errorf("error %v, want ErrSum", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v is there", left)
	}
}

// TestCacheMemory: files of entries that failed make room for the next.
func TestCacheMemory(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) })
	size := int64(len(content))
	c := NewCache(t.TempDir(), quick(), nil, t.Logf)
	c.Memory = budget.New(size + size/2)
	first, err := c.Get(t.Context(), s.URL+"/a")
	if err != nil || c.Memory.Left() != size/2 {
		t.Fatalf("%v, %d bytes left", err, c.Memory.Left())
	}
	if _, err := c.Get(t.Context(), s.URL+"/b"); !errors.Is(err, ErrTooBig) || !strings.Contains(err.Error(), "of the memory are left") || !strings.Contains(err.Error(), "/b") {
		t.Error(err)
	}
	if err := c.Keep(s.URL + "/a"); err != nil || c.Memory.Left() != size/2 {
		t.Errorf("%v, %d bytes left", err, c.Memory.Left())
	}
	if err := c.Keep(s.URL + "/b"); err != nil || c.Memory.Left() != size+size/2 {
		t.Errorf("%v, %d bytes left", err, c.Memory.Left())
	}
	second, err := c.Get(t.Context(), s.URL+"/b")
	if err != nil || second == first {
		t.Errorf("%s, %v", second, err)
	}
	if _, err := os.Stat(first); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", first, err)
	}
	if err := c.Close(); err != nil || c.Memory.Left() != c.Memory.Limit() {
		t.Errorf("%v, %d bytes left", err, c.Memory.Left())
	}
}

// TestCacheContext: who waits for another download may stop.
func TestCacheContext(t *testing.T) {
	asked := make(chan struct{})
	s := newServer(t, (*httptest.Server).Start, func(_ int, _ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	c := NewCache(t.TempDir(), &Fetcher{}, nil, t.Logf)
	first, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := c.Get(first, s.URL)
		ended <- err
	}()
	<-asked
	second, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := c.Get(second, s.URL+"/other"); !errors.Is(err, ErrTimeout) {
		t.Errorf("error %v, want ErrTimeout", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
}

func TestSafeName(t *testing.T) {
	for url, want := range map[string]string{
		"http://h/boot/vmlinuz-6.1_x+y":       "vmlinuz-6.1_x+y",
		"http://h/a/..":                       "..",
		"http://h/\x1b[2J ü":                  "2J",
		"http://h/":                           "h",
		"http://h/" + strings.Repeat("x", 99): strings.Repeat("x", 64),
	} {
		if got := safeName(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}
