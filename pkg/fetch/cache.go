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
	"time"

	"github.com/imaboot/imaboot/internal/human"

	"github.com/imaboot/imaboot/pkg/entry"
)

// A Cache downloads each file once, and keeps it in a directory until it is
// closed. Several goroutines may use it at once; it downloads one file at a
// time.
type Cache struct {
	dir     string
	fetcher *Fetcher
	sums    map[string]Sum
	log     func(format string, args ...any)

	// turn holds a value while nobody uses files. Unlike a mutex it can be
	// waited for until a context ends.
	turn  chan struct{}
	files map[string]string
}

// NewCache returns a Cache that keeps files in dir. It makes the directory, for
// this user only, with the first file. sums are what is known about files, by
// URL. log gets a line for each file, with its size and how long it took.
func NewCache(dir string, fetcher *Fetcher, sums map[string]Sum, log func(format string, args ...any)) *Cache {
	c := &Cache{dir: dir, fetcher: fetcher, sums: sums, log: log, turn: make(chan struct{}, 1), files: map[string]string{}}
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
	if name, ok := c.files[url]; ok {
		return name, nil
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(c.dir, fmt.Sprintf("%d-%s", len(c.files)+1, safeName(url)))
	start := time.Now()
	if err := c.fetcher.Fetch(ctx, url, name, c.sums[url]); err != nil {
		return "", err
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", err
	}
	c.log("%s: %s in %.3f s", entry.Redact(url), human.Size(info.Size()), time.Since(start).Seconds())
	c.files[url] = name
	return name, nil
}

// Close waits for a download that is under way, and removes all files.
func (c *Cache) Close() error {
	<-c.turn
	defer func() { c.turn <- struct{}{} }()
	var errs []error
	for _, name := range c.files {
		errs = append(errs, os.Remove(name))
	}
	clear(c.files)
	return errors.Join(errs...)
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
