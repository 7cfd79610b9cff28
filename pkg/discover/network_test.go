// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/netboot"
)

// serve serves texts by path, and says no otherwise.
func serve(t *testing.T, files map[string]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(text))
	}))
	t.Cleanup(s.Close)
	return s
}

const script = "#!ipxe\nkernel vmlinuz quiet\ninitrd initrd\nboot\n"

// online gives a finder leases, one for each boot file.
func online(f *finder, bootFiles ...string) {
	f.leases = func(context.Context, func(string) bool, func(string, ...any)) (<-chan *netboot.Lease, error) {
		leases := make(chan *netboot.Lease, len(bootFiles))
		for _, file := range bootFiles {
			l := &netboot.Lease{Interface: "eth0", Address: "192.0.2.77/24"}
			if file != "" {
				l.BootFiles = []string{file}
			}
			leases <- l
		}
		close(leases)
		return leases, nil
	}
	f.configure = func(*netboot.Lease) error { return nil }
}

func TestNetwork(t *testing.T) {
	s := serve(t, map[string]string{"/a/boot.ipxe": script, "/text": "hello\n"})
	for _, tt := range []struct {
		name      string
		o         Options
		bootFiles []string
		want      []string // kernels of the choices
		logged    string
	}{
		{"a script", Options{}, []string{s.URL + "/a/boot.ipxe"}, []string{s.URL + "/a/vmlinuz"}, s.URL + "/a/boot.ipxe: ipxe, 1 entry"},
		{"another lease names nothing", Options{}, []string{"", s.URL + "/a/boot.ipxe"}, []string{s.URL + "/a/vmlinuz"}, ""},
		{"nothing that there is", Options{Wait: -1}, []string{s.URL + "/b/boot.ipxe"}, nil, "eth0: unusable loader configuration: eth0: nothing to boot that there is"},
		{"no text that is known", Options{Wait: -1}, []string{s.URL + "/text"}, nil, "nothing to boot that there is"},
		{"not the wanted one", Options{Wait: -1, Entry: "other"}, []string{s.URL + "/a/boot.ipxe"}, []string{s.URL + "/a/vmlinuz"}, "waiting for another interface"},
		{"no lease", Options{Wait: -1}, nil, nil, "waiting for another interface"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, j := testFinder(t, tt.o, nil)
			online(f, tt.bootFiles...)
			if err := f.network(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range f.Choices() {
				got = append(got, c.Kernel.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.logged != "" {
				j.check(t, tt.logged)
			}
		})
	}
}

// TestNoInterface: the search goes on until its time has passed.
func TestNoInterface(t *testing.T) {
	f, j := testFinder(t, Options{Wait: 50 * time.Millisecond}, nil)
	f.leases = func(context.Context, func(string) bool, func(string, ...any)) (<-chan *netboot.Lease, error) {
		return nil, errors.New("no network interface")
	}
	if err := f.network(t.Context()); err != nil || len(f.Choices()) > 0 {
		t.Errorf("%v, %v", f.Choices(), err)
	}
	j.check(t, "network: no network interface: waiting for one, 50ms at most")
}

func TestByURL(t *testing.T) {
	s := serve(t, map[string]string{"/vmlinuz": "a kernel"})
	url := s.URL + "/vmlinuz"
	for _, tt := range []struct {
		name string
		url  string
		sums map[string]fetch.Sum
		err  error
	}{
		{"found", url, nil, nil},
		{"not found", s.URL + "/none", nil, fetch.ErrNotFound},
		{"another file", url, map[string]fetch.Sum{url: {SHA256: make([]byte, 32)}}, fetch.ErrSum},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := testFinder(t, Options{Wait: -1, URL: tt.url, Initrds: []string{s.URL + "/initrd"}, Sums: tt.sums}, nil)
			f.fetcher.Backoff = time.Millisecond
			online(f, "", "")
			err := f.byURL(t.Context())
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			if n, err := f.Default(); n != 0 || err != nil {
				t.Errorf("default %d, %v", n, err)
			}
			c := f.Choices()[0]
			if c.Kernel.Name != url || len(c.Initrds) != 1 || c.Config.Kind != "url" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestBadLease: what one network answers ends its lease alone, and another one
// leads to the file.
func TestBadLease(t *testing.T) {
	good := serve(t, map[string]string{"/boot.ipxe": script})
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	bad := serve(t, map[string]string{
		"/broken/boot.ipxe":               "#!ipxe\nnonsense\n",
		"/big/pxelinux.cfg/default":       strings.Repeat("#\n", 1<<20),
		"/text/boot.ipxe":                 "hello\n",
		"/nothing/pxelinux.cfg/default":   "",
		"/elsewhere/pxelinux.cfg/default": "default x\nlabel x\nlocalboot 0\n",
	})
	for name, tt := range map[string]struct{ file, logged string }{
		"certificate":        {tls.URL + "/boot.ipxe", "server's certificate is not trusted"},
		"big":                {bad.URL + "/big/", "file is too big"},
		"not found":          {bad.URL + "/none", "no such file on the server"},
		"no script":          {bad.URL + "/text/boot.ipxe", ""},
		"a broken script":    {bad.URL + "/broken/boot.ipxe", ""},
		"an empty text":      {bad.URL + "/nothing/", ""},
		"boots another disk": {bad.URL + "/elsewhere/", ""},
		"no URL":             {"nonsense", ""},
		"no server":          {"http://127.0.0.1:1/boot.ipxe", "connection refused"},
	} {
		for _, order := range [][]string{{tt.file, good.URL + "/boot.ipxe"}, {good.URL + "/boot.ipxe", tt.file}} {
			t.Run(name, func(t *testing.T) {
				f, _ := testFinder(t, Options{Wait: -1}, nil)
				f.fetcher.Backoff = time.Millisecond
				online(f, order...)
				if err := f.network(t.Context()); err != nil {
					t.Fatal(err)
				}
				if c := f.Choices(); len(c) != 1 || c[0].Kernel.Name != good.URL+"/vmlinuz" {
					t.Errorf("%+v", c)
				}
			})
		}
		t.Run(name+" alone", func(t *testing.T) {
			f, j := testFinder(t, Options{Wait: -1}, nil)
			f.fetcher.Backoff = time.Millisecond
			online(f, tt.file)
			// The search goes on, at disks for instance.
			if err := f.network(t.Context()); err != nil || len(f.Choices()) > 0 {
				t.Errorf("%v, %v", f.Choices(), err)
			}
			if tt.logged != "" && name != "not found" {
				j.check(t, tt.logged)
			}
		})
	}
}

// TestByURLBadLease: the first network leads to a server that lies, the second
// one to the file.
func TestByURLBadLease(t *testing.T) {
	kernel := []byte("a kernel")
	sum := sha256.Sum256(kernel)
	for _, tt := range []struct {
		name string
		bad  func(w http.ResponseWriter)
		sum  fetch.Sum
		most int64 // bytes of a file
		asks int   // how often a bad network is asked
		err  error
	}{
		{"another file", func(w http.ResponseWriter) { w.Write([]byte("malware!")) }, fetch.Sum{SHA256: sum[:]}, 0, 2, fetch.ErrSum},
		{"too big", func(w http.ResponseWriter) { w.Write(make([]byte, 2000)) }, fetch.Sum{}, 1000, 1, fetch.ErrTooBig},
		{"not found", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, fetch.Sum{}, 0, 1, fetch.ErrNotFound},
		{"refused", func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, fetch.Sum{}, 0, 1, fetch.ErrRefused},
	} {
		for _, leases := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d leases", tt.name, leases), func(t *testing.T) {
				var asked atomic.Int64
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if asked.Add(1) <= int64(tt.asks) {
						tt.bad(w)
						return
					}
					w.Write(kernel)
				}))
				defer s.Close()
				url := s.URL + "/vmlinuz"
				f, j := testFinder(t, Options{Wait: -1, URL: url, Sums: map[string]fetch.Sum{url: tt.sum}}, nil)
				f.fetcher.Backoff, f.fetcher.MaxSize = time.Millisecond, tt.most
				online(f, make([]string, leases)...)
				err := f.byURL(t.Context())
				if leases == 2 {
					if err != nil || len(f.Choices()) != 1 {
						t.Errorf("%d choices, error %v", len(f.Choices()), err)
					}
					return
				}
				j.check(t, tt.err.Error())
				if !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
			})
		}
	}
}

// TestPasswords: what is shown of a URL has no password; what is downloaded has.
func TestPasswords(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.URL.Path {
		case "/boot.ipxe":
			w.Write([]byte("#!ipxe\nchain none ||\nkernel vmlinuz\nboot\n"))
		case "/vmlinuz":
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	base := strings.Replace(s.URL, "http://", "http://user:secret@", 1)
	for name, look := range map[string]func(*finder) error{
		"url":     func(f *finder) error { return f.byURL(t.Context()) },
		"network": func(f *finder) error { return f.network(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			f, j := testFinder(t, Options{Wait: -1, URL: base + "/vmlinuz"}, nil)
			f.fetcher.Backoff = time.Millisecond
			online(f, base+"/none", base+"/boot.ipxe")
			if err := look(f); err != nil {
				t.Fatal(err)
			}
			if len(f.Choices()) != 1 {
				t.Fatalf("%+v\n%s", f.Choices(), &j.text)
			}
			c := f.Choices()[0]
			if c.Kernel.Name != base+"/vmlinuz" {
				t.Errorf("kernel %s", c.Kernel.Name)
			}
			shown := append([]string{c.Title, c.Config.Source, j.text.String()}, c.Config.Notes...)
			if text := strings.Join(shown, "\n"); strings.Contains(text, "secret") || !strings.Contains(text, "http://xxxxx@127.0.0.1") {
				t.Errorf("shown:\n%s", text)
			}
		})
	}
}

// TestNotConfigured: a lease whose interface cannot be configured is passed over.
func TestNotConfigured(t *testing.T) {
	f, j := testFinder(t, Options{Wait: -1}, nil)
	online(f, "http://192.0.2.1/boot.ipxe")
	f.configure = func(*netboot.Lease) error { return errors.New("operation not permitted") }
	if err := f.network(t.Context()); err != nil {
		t.Error(err)
	}
	j.check(t, "eth0: operation not permitted")
}

// TestCancelled: a download ends with the caller's context.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer s.Close()
	f, _ := testFinder(t, Options{}, nil)
	online(f, s.URL+"/boot.ipxe")
	start := time.Now()
	if err := orEnd(ctx, f.network(ctx)); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "looking for something to boot") {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}
