// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/entry"
	"github.com/imaboot/imaboot/pkg/fetch"
	"github.com/imaboot/imaboot/pkg/netboot"
)

// netDir is where downloads are kept, under the root.
const netDir = "run/imaboot/net"

// newFetcher returns a Fetcher that logs how far a long download is.
func newFetcher(log func(string, ...any)) *fetch.Fetcher {
	// Several leases may download at once.
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	return &fetch.Fetcher{Progress: func(url string, done, total int64) {
		// A short download is logged when it is complete.
		const often = 5 * time.Second
		now, before := time.Now().UnixNano(), last.Load()
		if time.Duration(now-before) < often || !last.CompareAndSwap(before, now) {
			return
		}
		of := ""
		if total > 0 {
			of = " of " + human.Size(total)
		}
		log("%s: %s%s", url, human.Size(done), of)
	}}
}

// textTime bounds the configurations that one lease leads to. They are small, but a
// server may send each byte as late as it can.
const textTime = 2 * time.Minute

// network asks for leases on all interfaces at once. The first one that leads to
// entries wins.
func (f *finder) network(ctx context.Context) error {
	_, err := f.online(ctx, func(ctx context.Context, l *netboot.Lease) (*entry.Config, error) {
		ctx, cancel := context.WithTimeout(ctx, textTime)
		defer cancel()
		c, err := netboot.Configs(ctx, l, f.fetcher.Text)
		if err != nil {
			return nil, err
		}
		// A DHCP server or a script may name URLs with passwords.
		c.Source = entry.Redact(c.Source)
		for i, note := range c.Notes {
			c.Notes[i] = entry.Redact(note)
		}
		return c, nil
	})
	return err
}

// byURL makes one entry of the URLs that were given.
func (f *finder) byURL(ctx context.Context) error {
	name := entry.Redact(f.URL)
	e := entry.Entry{Title: name, Kernel: entry.File{Name: f.URL}}
	for _, i := range f.Initrds {
		e.Initrds = append(e.Initrds, entry.File{Name: i})
	}
	c := &entry.Config{Kind: "url", Source: name, Entries: []entry.Entry{e}}
	last, err := f.online(ctx, func(ctx context.Context, _ *netboot.Lease) (*entry.Config, error) {
		// If the kernel can be downloaded, this is the right interface.
		_, err := f.cache.Get(ctx, f.URL)
		return c, err
	})
	if err == nil && len(f.choices) == 0 {
		return last
	}
	return err
}

// A lookup finds what a lease leads to.
type lookup func(context.Context, *netboot.Lease) (*entry.Config, error)

// online waits for network interfaces, and tries their leases, all at once, until
// one leads to what is wanted. If none does, last is why the last one did not.
func (f *finder) online(ctx context.Context, try lookup) (last, err error) {
	waiting, cancel := context.WithTimeout(ctx, f.Wait)
	defer cancel()
	asked := map[string]bool{}
	err = f.devices.until(waiting, "net", func(settled bool) (bool, error) {
		if !settled {
			return false, nil
		}
		leases, err := f.leases(waiting, func(name string) bool {
			again := asked[name]
			asked[name] = true
			return !again
		}, f.Log)
		if err != nil {
			f.say("network: %v: waiting for one, %v at most", err, f.Wait)
			return false, nil
		}
		done, why := f.tryAll(ctx, leases, try)
		if done {
			return true, nil
		}
		if why != nil {
			last = why
		}
		f.say("network: waiting for another interface, %v at most", f.Wait)
		return false, nil
	})
	return last, err
}

// An outcome is what a lease led to.
type outcome struct {
	of     *netboot.Lease
	config *entry.Config
	err    error
}

// tryAll tries leases as they come, for ten minutes at most. It is done when one
// leads to what is wanted. If none does, last is why the last one did not.
//
// Whatever one network answers ends its lease alone, be it a file of a wrong
// size or checksum, or a certificate that does not verify: another network may
// lead to another server.
func (f *finder) tryAll(ctx context.Context, leases <-chan *netboot.Lease, try lookup) (done bool, last error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	outcomes := make(chan outcome)
	for running := 0; leases != nil || running > 0; {
		select {
		case l, ok := <-leases:
			switch {
			case !ok:
				leases = nil
			case f.takes(l):
				running++
				go func() {
					c, err := try(ctx, l)
					select {
					case outcomes <- outcome{l, c, err}:
					case <-ctx.Done():
					}
				}()
			}
		case r := <-outcomes:
			running--
			if r.err != nil {
				f.Log("%s: %s", r.of.Interface, entry.Redact(r.err.Error()))
				last = r.err
				continue
			}
			if f.set([]*entry.Config{r.config}); f.offers() {
				return true, nil
			}
		case <-ctx.Done():
			return false, last
		}
	}
	return false, last
}

// takes configures the interface of a lease.
func (f *finder) takes(l *netboot.Lease) bool {
	f.Log("%s: %s, %v at most for what is asked for there", l.Interface, l.Address, downloadTime)
	err := f.configure(l)
	if err != nil {
		f.Log("%s: %v", l.Interface, err)
	}
	return err == nil
}
