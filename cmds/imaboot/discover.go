// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"log"
	"strings"
	"time"

	"github.com/u-root/u-root/pkg/uroot/unixflag"

	"github.com/imaboot/imaboot/internal/flags"
	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/discover"
	"github.com/imaboot/imaboot/pkg/fetch"
)

// A discovery says how boot finds a target if no KERNEL is named.
type discovery struct {
	from      string
	wait      time.Duration
	timeout   time.Duration
	entry     string
	noMenu    bool
	finally   string
	url       string
	checksums unixflag.StringArray
}

// defaultTimeout is how long the menu waits for a key.
const defaultTimeout = 5 * time.Second

func (d *discovery) flags(f *flag.FlagSet) {
	d.from, d.finally = "disk,net", "exit"
	f.Var(flags.Choice(&d.from, "disk", "net", "disk,net", "net,disk"), "from", "Look for entries on disks, on the network, or on both in this order. The first place that has one ends the search.")
	f.DurationVar(&d.wait, "wait", discover.DefaultWait, "Wait up to `DURATION` for disks or network interfaces to appear. With 0, do not wait. Reading the configurations on disks may take as long, or 10 seconds if that is longer.")
	f.StringVar(&d.entry, "entry", "", "Choose the entry `NAME`: its number in the output of imaboot entries, its title, or its name in the configuration.")
	f.StringVar(&d.url, "url", "", "Take the kernel at `ADDRESS` (tftp, http or https) and look nowhere else. --initrd takes addresses then.")
	f.Var(&d.checksums, "checksum", "Refuse a download that does not have the digest `sha256:HEX`. The first of these flags is for --url, the next ones are for each --initrd.")
}

// chooseFlags are the flags that boot has and entries has not.
func (d *discovery) chooseFlags(f *flag.FlagSet) {
	f.DurationVar(&d.timeout, "timeout", defaultTimeout, "Boot the default entry if no key is pressed for `DURATION` while the menu is shown. If it is negative, wait forever.")
	f.BoolVar(&d.noMenu, "no-menu", false, "Boot the default entry, or the one of --entry, without a menu.")
	f.Var(flags.Choice(&d.finally, "exit", "shell", "reboot"), "finally", "If nothing can be booted, exit, start a shell or reboot.")
}

// sums are the checksums of --url and each --initrd, by URL.
func (d *discovery) sums(initrds []string) (map[string]fetch.Sum, error) {
	urls := append([]string{d.url}, initrds...)
	if len(d.checksums) > len(urls) {
		return nil, usagef("%s for %s", human.Count(len(d.checksums), "checksums"), human.Count(len(urls), "URLs"))
	}
	sums := map[string]fetch.Sum{}
	for i, s := range d.checksums {
		sum, err := fetch.ParseSum(s)
		if err != nil {
			return nil, usagef("%v", err)
		}
		sums[urls[i]] = sum
	}
	return sums, nil
}

// A finder offers what was found, and boots it.
type finder struct {
	*command
	*discover.Found
	d          *discovery
	restoreLog func()
}

// find looks for something to boot, as the flags say.
func (c *command) find(ctx context.Context, o *options, d *discovery) (*finder, error) {
	sums, err := d.sums(o.Initrds)
	if err != nil {
		return nil, err
	}
	f := &finder{command: c, d: d, restoreLog: c.divertLog()}
	var from []discover.Place
	for place := range strings.SplitSeq(d.from, ",") {
		from = append(from, discover.Place(place))
	}
	f.Found, err = discover.Find(ctx, discover.Options{
		// --wait=0 does not wait.
		From: from, Wait: cmp.Or(d.wait, -1), Entry: d.entry, Unattended: d.noMenu,
		URL: d.url, Initrds: o.Initrds, Sums: sums, Log: c.step, Debug: c.detail,
	})
	if err != nil {
		f.restoreLog()
		return nil, err
	}
	return f, nil
}

// close unmounts disks and removes downloads.
func (f *finder) close() {
	if err := f.Close(); err != nil {
		f.detail("%v", err)
	}
	f.restoreLog()
}

// divertLog makes details of what libraries write to the standard logger, which
// u-root's DHCP client does. Its goroutines may outlive the search: the logger is
// restored when what was found is closed. A library must not do this, but here
// the logger is the command's own.
func (c *command) divertLog() (restore func()) {
	writer, format := log.Writer(), log.Flags()
	log.SetFlags(0)
	log.SetOutput(details{c})
	return func() {
		log.SetOutput(writer)
		log.SetFlags(format)
	}
}

// details prints what is written to it as details.
type details struct{ *command }

func (d details) Write(b []byte) (int, error) {
	d.detail("%s", bytes.TrimRight(b, "\n"))
	return len(b), nil
}
