// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
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
		{"nothing that there is", Options{Wait: -1}, []string{s.URL + "/b/boot.ipxe"}, nil, "eth0: loader's configuration: eth0: nothing to boot that there is"},
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
		// Another lease would not help: two attempts, and not four.
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
