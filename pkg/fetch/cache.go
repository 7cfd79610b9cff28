// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/imaboot/imaboot/internal/human"
	"github.com/imaboot/imaboot/pkg/budget"
	"github.com/imaboot/imaboot/pkg/entry"
)

// A Cache downloads each file once, and keeps it in a directory until it is
// closed. Several goroutines may use it at once; it downloads one file at a
// time.
type Cache struct {
	// Memory is what all files may take together, with others that share it:
	// they are usually kept in memory. nil is no bound.
	Memory *budget.Memory

	dir     string
	fetcher *Fetcher
	sums    map[string]Sum
	log     func(format string, args ...any)

	// turn holds a value while nobody uses files. Unlike a mutex it can be
	// waited for until a context ends.
	turn  chan struct{}
	files map[string]kept
	made  int // files so far, for their names
}

// A kept file was downloaded.
type kept struct {
	name string
	size int64
}

// NewCache returns a Cache that keeps files in dir. It makes the directory, for
// this user only, with the first file. sums are what is known about files, by
// URL. log gets a line for each file, with its size and how long it took.
func NewCache(dir string, fetcher *Fetcher, sums map[string]Sum, log func(format string, args ...any)) *Cache {
	c := &Cache{dir: dir, fetcher: fetcher, sums: sums, log: log, turn: make(chan struct{}, 1), files: map[string]kept{}}
	c.turn <- struct{}{}
	return c
}

// Get returns the name of the file with the content of a URL. A file is
// complete and closed before Get returns it (see Fetcher.Fetch). After an error,
// the next Get tries again.
func (c *Cache) Get(ctx context.Context, url string) (string, error) {
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", fmt.Errorf("fetch %s: %w", entry.Redact(url), stopped(ctx))
	}
	if f, ok := c.files[url]; ok {
		return f.name, nil
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(c.dir, fmt.Sprintf("%d-%s", c.made+1, safeName(url)))
	start := time.Now()
	size, err := c.download(ctx, url, name)
	if err != nil {
		return "", err
	}
	c.log("%s: %s in %.3f s", entry.Redact(url), human.Size(size), time.Since(start).Seconds())
	c.files[url] = kept{name, size}
	c.made++
	return name, nil
}

// download returns the size of the file, which is in the memory then.
func (c *Cache) download(ctx context.Context, url, name string) (int64, error) {
	fetcher := *c.fetcher
	left, scarce := int64(0), false
	if c.Memory != nil {
		left = c.Memory.Left()
		scarce = left < fetcher.limits().MaxSize
	}
	if scarce {
		fetcher.MaxSize = max(left, 1) // 0 is the default
	}
	err := fetcher.Fetch(ctx, url, name, c.sums[url])
	if errors.Is(err, ErrTooBig) && scarce {
		return 0, fmt.Errorf("%w: %s of the memory are left for it", err, human.Size(left))
	}
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(name)
	if err == nil && c.Memory != nil {
		err = c.Memory.Take(entry.Redact(url), info.Size())
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(name))
	}
	return info.Size(), nil
}

// Keep removes all files but those of some URLs, so that their memory is free. It
// waits for a download that is under way.
func (c *Cache) Keep(urls ...string) error {
	<-c.turn
	defer func() { c.turn <- struct{}{} }()
	return c.remove(func(url string) bool { return !slices.Contains(urls, url) })
}

func (c *Cache) remove(which func(url string) bool) error {
	var errs []error
	for url, f := range c.files {
		if !which(url) {
			continue
		}
		errs = append(errs, os.Remove(f.name))
		if c.Memory != nil {
			c.Memory.Give(f.size)
		}
		delete(c.files, url)
	}
	return errors.Join(errs...)
}

// Close waits for a download that is under way, and removes all files.
func (c *Cache) Close() error {
	<-c.turn
	defer func() { c.turn <- struct{}{} }()
	return c.remove(func(string) bool { return true })
}

// safeName returns the last part of a URL without unusual characters.
func safeName(url string) string {
	var out []rune
	for _, r := range path.Base(entry.Redact(url)) {
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
