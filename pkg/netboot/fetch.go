// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/imaboot/imaboot/pkg/entry"
)

// Limits bound one download. A zero field is the default.
type Limits struct {
	// MaxSize is in bytes, by default 1 GiB.
	MaxSize int64
	// Attempts is how often a file is asked for, by default 5 times.
	Attempts int
	// Idle is how long a server may send nothing, by default 15 s.
	Idle time.Duration
	// Backoff is how long the second attempt waits, by default 500 ms; each
	// one doubles it, up to maxBackoff.
	Backoff time.Duration
}

const maxBackoff = 8 * time.Second

// A Fetcher downloads files. Its zero value is ready to use; it may be used by
// several goroutines.
type Fetcher struct {
	Limits
	// Roots are who may sign certificates, nil for the system's.
	Roots *x509.CertPool
	// Progress, if not nil, is told at most every 500 ms how many bytes are
	// there, of how many; -1 if that is not known.
	Progress func(url string, done, total int64)
}

func (f *Fetcher) limits() Limits {
	return Limits{
		MaxSize:  cmp.Or(f.MaxSize, 1<<30),
		Attempts: cmp.Or(f.Attempts, 5),
		Idle:     cmp.Or(f.Idle, 15*time.Second),
		Backoff:  cmp.Or(f.Backoff, 500*time.Millisecond),
	}
}

// Fetch downloads a file, and gives it its name when it is whole, checked and
// closed: who opens it then, and is measured in doing so, reads what is there
// to stay. A file of that name is replaced.
//
// Without a length from the server (HTTP's 1.0, TFTP without tsize) only a sum
// tells a file that is cut short.
func (f *Fetcher) Fetch(ctx context.Context, url, to string, want Sum) error {
	// CreateTemp opens with O_EXCL, and for this user only.
	part, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*")
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	err = f.download(ctx, url, fileOutput{part}, f.limits(), want)
	if closed := part.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(part.Name(), to)
	}
	if err != nil {
		os.Remove(part.Name())
	}
	return err
}

// Text downloads a file of at most entry.MaxConfig bytes into memory.
func (f *Fetcher) Text(ctx context.Context, url string) ([]byte, error) {
	limits := f.limits()
	limits.MaxSize = min(limits.MaxSize, entry.MaxConfig)
	var text textOutput
	if err := f.download(ctx, url, &text, limits, Sum{}); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// output is where a download goes; restart makes it empty.
type output interface {
	Write([]byte) (int, error)
	restart() error
}

type fileOutput struct{ *os.File }

func (o fileOutput) restart() error {
	if err := o.Truncate(0); err != nil {
		return err
	}
	_, err := o.Seek(0, 0)
	return err
}

type textOutput struct{ bytes.Buffer }

func (o *textOutput) restart() error {
	o.Reset()
	return nil
}

// final are errors that another attempt does not change.
var final = []error{ErrNotFound, ErrRefused, ErrTooBig, ErrCertificate, errLocal}

func (f *Fetcher) download(ctx context.Context, from string, out output, limits Limits, want Sum) error {
	u, err := url.Parse(from)
	if err != nil {
		return fmt.Errorf("fetch %q: %w: %w", from, ErrRefused, errors.Unwrap(err))
	}
	if !loadable(u) {
		return fmt.Errorf("fetch %s: %w: no tftp://, http:// or https:// URL with a host", u.Redacted(), ErrRefused)
	}
	d := newTransfer(u, out, limits, want)
	attempt := d.tftp
	if u.Scheme != "tftp" {
		client := f.client()
		defer client.CloseIdleConnections()
		attempt = func(ctx context.Context) error { return d.http(ctx, client) }
	}
	if f.Progress != nil {
		d.progress = func(done, total int64) { f.Progress(u.Redacted(), done, total) }
	}
	sums := 0
	for try := 1; ; try++ {
		err := d.attempt(ctx, attempt)
		if err == nil {
			return nil
		}
		if errors.Is(err, ErrSum) {
			sums++
		}
		err = fmt.Errorf("fetch %s: attempt %d of %d: %w", u.Redacted(), try, limits.Attempts, err)
		if try >= limits.Attempts || sums > 1 || ctx.Err() != nil ||
			slices.ContainsFunc(final, func(e error) bool { return errors.Is(err, e) }) {
			return err
		}
		select {
		case <-time.After(wait(limits.Backoff, try)):
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, stopped(ctx))
		}
	}
}

// wait is how long to wait after an attempt that failed: at least half of what
// doubles each time, and the rest by chance, so that machines that start
// together do not ask together.
func wait(first time.Duration, try int) time.Duration {
	d := min(first, maxBackoff)
	for range try - 1 {
		d = min(2*d, maxBackoff)
	}
	return d/2 + rand.N(d/2+1)
}

// stopped says why a context is done.
func stopped(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
