// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/entry"
)

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		"http://host/x":                               "http://host/x",
		"http://user:secret@host/x":                   "http://xxxxx@host/x",
		"https://token@host":                          "https://xxxxx@host",
		"http://user:se@cret@host/a@b":                "http://xxxxx@host/a@b",
		"tftp://host/@/boot/vmlinuz":                  "tftp://host/@/boot/vmlinuz",
		"http://host/?mail=a@b":                       "http://host/?mail=a@b",
		"http://host#a@b":                             "http://host#a@b",
		"sda2:/@/boot":                                "sda2:/@/boot",
		`Get "http://u:p@h/": see ftp://u:p@h, a://b`: `Get "http://xxxxx@h/": see ftp://xxxxx@h, a://b`,
		"http://xxxxx@host/":                          "http://xxxxx@host/",
		"":                                            "",
	} {
		if got := entry.Redact(text); got != want {
			t.Errorf("entry.Redact(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestPasswords: neither errors, nor logs, nor names of files show a password.
func TestPasswords(t *testing.T) {
	s := newServer(t, (*httptest.Server).Start, func(_ int, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/none":
			http.NotFound(w, r)
		case "/ftp":
			w.Header().Set("Location", "ftp://user:secret@host/")
			w.WriteHeader(http.StatusFound)
		case "/broken":
			w.Header().Set("Location", "http://user:secret@host/%zz")
			w.WriteHeader(http.StatusFound)
		case "/cut":
			cutAfter(w, 1000)
		case "/away":
			http.Redirect(w, r, "http://user:secret@127.0.0.1:1/", http.StatusFound)
		default:
			serve(w, r)
		}
	})
	host := strings.TrimPrefix(s.URL, "http://")
	base := "http://user:secret@" + host
	for _, u := range []string{
		base, base + "/none", base + "/ftp", base + "/broken", base + "/cut", base + "/away", base + "/%zz",
		"http://user:secret@127.0.0.1:1/", "https://user:secret@" + host, "http://user:secret?x@host/", "http://user:secret/x@host/",
		"http://user:secret@host:port/", "user:secret@host", "ftp://user:secret@host/x", "http://user:secret@",
		"tftp://user:secret@127.0.0.1/", "tftp://user:secret@127.0.0.1:port/x",
	} {
		var said []string
		dir := t.TempDir()
		f := quick()
		f.Progress = func(url string, _, _ int64) { said = append(said, url) }
		c := NewCache(dir, f, nil, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
		_, err := c.Get(t.Context(), u)
		if err == nil && u != base {
			t.Errorf("%s: no error", u)
		}
		said = append(said, fmt.Sprint(err))
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			said = append(said, filepath.Base(f.Name()))
		}
		for _, text := range said {
			if strings.Contains(text, "secret") {
				t.Errorf("%s: %q shows the password", u, text)
			}
		}
		if len(said) < 2 && err == nil {
			t.Errorf("%s: only %q was said", u, said)
		}
	}
}

// TestNoProxy: the environment's proxies are not used. (Go's client never uses
// one for the loopback, so that a request cannot show it.)
func TestNoProxy(t *testing.T) {
	if (&Fetcher{}).client().Transport.(*http.Transport).Proxy != nil {
		t.Error("the client uses a proxy")
	}
}
