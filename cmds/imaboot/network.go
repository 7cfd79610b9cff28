// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/netboot"
)

// netDir is where files from the network are. They are closed before they are
// opened to be loaded: then IMA measures them.
const netDir = "/run/imaboot/net"

// A network is what is fetched from it, each file once, and one at a time:
// routes decide where from, and not leases.
type network struct {
	*command
	mu      sync.Mutex
	fetcher fetch.Fetcher
	sums    map[string]fetch.Sum
	files   map[string]string
}

func (c *command) newNetwork() *network {
	n := &network{command: c, sums: map[string]fetch.Sum{}, files: map[string]string{}}
	// Configurations are looked for by all leases at once.
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	n.fetcher.Progress = func(url string, done, total int64) {
		// What is quick is told when it is there.
		const often = 5 * time.Second
		now, before := time.Now().UnixNano(), last.Load()
		if time.Duration(now-before) < often || !last.CompareAndSwap(before, now) {
			return
		}
		of := ""
		if total > 0 {
			of = " of " + size(int(total))
		}
		c.step("%s: %s%s", url, size(int(done)), of)
	}
	return n
}

func (n *network) fetch(ctx context.Context, url string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name, ok := n.files[url]; ok {
		return name, nil
	}
	if err := os.MkdirAll(netDir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(netDir, fmt.Sprintf("%d-%s", len(n.files)+1, safeName(url)))
	start := time.Now()
	if err := n.fetcher.Fetch(ctx, url, name, n.sums[url]); err != nil {
		return "", err
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	n.step("%s: %s in %.3f s", url, size(int(info.Size())), time.Since(start).Seconds())
	n.files[url] = name
	return name, nil
}

// safeName is the end of an address, as far as it is a plain name.
func safeName(url string) string {
	var out []rune
	for _, r := range path.Base(url) {
		const most = 64
		switch {
		case len(out) == most:
			return string(out)
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '.', r == '-', r == '_', r == '+':
			out = append(out, r)
		}
	}
	return string(out)
}

func (n *network) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range n.files {
		if err := os.Remove(name); err != nil {
			n.detail("%v", err)
		}
	}
}

// network asks on all interfaces at once; the first that leads to something
// wins.
func (f *finder) network(ctx context.Context) error {
	_, err := f.online(ctx, func(ctx context.Context, l *netboot.Lease) (*entry.Config, error) {
		return netboot.Configs(ctx, l, f.net.fetcher.Text)
	})
	return err
}

// byURL is one entry, of addresses that were given.
func (f *finder) byURL(ctx context.Context, o *options) error {
	e := entry.Entry{Title: f.d.url, Kernel: entry.File{Name: f.d.url}}
	for _, i := range o.Initrds {
		e.Initrds = append(e.Initrds, entry.File{Name: i})
	}
	urls := append([]string{f.d.url}, o.Initrds...)
	if len(f.d.checksums) > len(urls) {
		return usagef("%s for %s", count(len(f.d.checksums), "checksums"), count(len(urls), "URLs"))
	}
	f.net = f.newNetwork()
	for i, s := range f.d.checksums {
		sum, err := fetch.ParseSum(s)
		if err != nil {
			return usagef("%v", err)
		}
		f.net.sums[urls[i]] = sum
	}
	c := &entry.Config{Kind: "url", Source: f.d.url, Entries: []entry.Entry{e}}
	last, err := f.online(ctx, func(ctx context.Context, _ *netboot.Lease) (*entry.Config, error) {
		// That it can be had shows that this is the right interface.
		_, err := f.net.fetch(ctx, f.d.url)
		return c, err
	})
	if err == nil && len(f.choices) == 0 {
		return last
	}
	return err
}

// details are what somebody else logs, for -v.
type details struct{ *command }

func (d details) Write(b []byte) (int, error) {
	d.detail("%s", bytes.TrimRight(b, "\n"))
	return len(b), nil
}

// online waits for interfaces, and tries each lease, all at once, until one
// leads to what is wanted. If none does it returns why the last one did not.
func (f *finder) online(ctx context.Context, try lookup) (last, err error) {
	if f.net == nil {
		f.net = f.newNetwork()
	}
	// u-root's client speaks to the standard logger.
	log.SetFlags(0)
	log.SetOutput(details{f.command})
	waiting, cancel := context.WithTimeout(ctx, f.d.wait)
	defer cancel()
	asked := map[string]bool{}
	err = f.devices.until(waiting, "net", func(settled bool) (bool, error) {
		if !settled {
			return false, nil
		}
		leases, err := netboot.Leases(waiting, func(name string) bool {
			again := asked[name]
			asked[name] = true
			return !again
		}, f.step)
		if err != nil {
			f.say(fmt.Sprintf("network: %v: waiting for one, %v at most", err, f.d.wait))
			return false, nil
		}
		done, why, err := f.tryAll(ctx, leases, try)
		if done || err != nil {
			return done, err
		}
		if why != nil {
			last = why
		}
		f.say(fmt.Sprintf("network: waiting for another interface, %v at most", f.d.wait))
		return false, nil
	})
	return last, err
}

// A lookup finds what a lease leads to.
type lookup func(context.Context, *netboot.Lease) (*entry.Config, error)

// downloadTime bounds what is asked for by leases, or for one entry.
const downloadTime = 10 * time.Minute

// tryAll is done when a lease leads to what is wanted.
func (f *finder) tryAll(ctx context.Context, leases <-chan *netboot.Lease, try lookup) (done bool, last, err error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	type outcome struct {
		of     *netboot.Lease
		config *entry.Config
		err    error
	}
	outcomes := make(chan outcome)
	for running := 0; leases != nil || running > 0; {
		select {
		case l, ok := <-leases:
			if !ok {
				leases = nil
				continue
			}
			f.step("%s: %s, %v at most for what is asked for there", l.Interface, l.Address, downloadTime)
			if err := l.Configure(); err != nil {
				f.step("%s: %v", l.Interface, err)
				continue
			}
			running++
			go func() {
				c, err := try(ctx, l)
				select {
				case outcomes <- outcome{l, c, err}:
				case <-ctx.Done():
				}
			}()
		case r := <-outcomes:
			running--
			switch {
			// Another network may lead to another server, but not to
			// another file.
			case errors.Is(r.err, fetch.ErrSum), errors.Is(r.err, fetch.ErrTooBig), errors.Is(r.err, fetch.ErrCertificate):
				return false, nil, r.err
			case r.err != nil:
				f.step("%s: %v", r.of.Interface, r.err)
				last = r.err
				continue
			}
			if f.set([]*entry.Config{r.config}); f.offers() {
				return true, nil, nil
			}
		case <-ctx.Done():
			return false, last, nil
		}
	}
	return false, last, nil
}
