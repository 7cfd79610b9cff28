// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package fetch downloads files by TFTP, HTTP and HTTPS. It resumes broken
// transfers, bounds their size and duration, and checks what is known about a
// file beforehand.
//
// u-root's schemes (pkg/curl) are not used: that of TFTP cuts files short (see
// internal/tftp), and that of HTTP hides the headers that resuming needs.
//
// Neither errors nor what Fetcher.Progress gets hold the users and passwords of
// URLs. Proxies are not used, whatever the environment says.
package fetch

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

// Limits bound one download. A zero field stands for its default.
type Limits struct {
	// MaxSize is in bytes; the default is 1 GiB.
	MaxSize int64
	// Attempts is how many times a file is requested; the default is 5.
	Attempts int
	// Idle is how long a server may send nothing; the default is 15 s.
	Idle time.Duration
	// Backoff is the wait before the second attempt; the default is 500 ms.
	// Each further attempt doubles it, up to maxBackoff.
	Backoff time.Duration
}

const maxBackoff = 8 * time.Second

// A Fetcher downloads files. Its zero value is ready to use, and several
// goroutines may use it at once.
type Fetcher struct {
	Limits
	// Roots are the authorities that sign servers' certificates; nil means
	// the system's.
	Roots *x509.CertPool
	// Progress, if not nil, is called at most every 500 ms for each download.
	// It gets the number of bytes so far, and the total, or -1 if the server
	// did not say.
	Progress func(url string, done, total int64)

	// clock is time.Now if nil. Tests set it.
	clock func() time.Time
}

func (f *Fetcher) limits() Limits {
	return Limits{
		MaxSize:  cmp.Or(f.MaxSize, 1<<30),
		Attempts: cmp.Or(f.Attempts, 5),
		Idle:     cmp.Or(f.Idle, 15*time.Second),
		Backoff:  cmp.Or(f.Backoff, 500*time.Millisecond),
	}
}

// Fetch downloads a file and renames it to its final name once it is complete,
// checked and closed. IMA measures a file when it is opened: whoever opens this
// one gets content that no longer changes. A file of the same name is replaced.
//
// If the server does not send a length (HTTP/1.0, TFTP without tsize), only a
// sum reveals a file that is cut short.
func (f *Fetcher) Fetch(ctx context.Context, url, to string, want Sum) error {
	// CreateTemp uses O_EXCL, and only this user may open the file.
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

// An output receives a download. restart empties it.
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

// final are the errors that another attempt would not change.
var final = []error{ErrNotFound, ErrRefused, ErrTooBig, ErrCertificate, errLocal}

func (f *Fetcher) download(ctx context.Context, from string, out output, limits Limits, want Sum) error {
	u, err := url.Parse(from)
	if err != nil {
		// The parser's error may quote a part of a password.
		return fmt.Errorf("fetch %q: %w: no URL", redactAll(from), ErrRefused)
	}
	if !Loadable(u) {
		return fmt.Errorf("fetch %s: %w: no tftp://, http:// or https:// URL with a host", redactAll(from), ErrRefused)
	}
	name := entry.Redact(from)
	d := newTransfer(u, out, limits, want)
	if f.clock != nil {
		d.clock = f.clock
	}
	attempt := d.tftp
	if u.Scheme != "tftp" {
		client := f.client()
		defer client.CloseIdleConnections()
		attempt = func(ctx context.Context) error { return d.http(ctx, client) }
	}
	if f.Progress != nil {
		d.progress = func(done, total int64) { f.Progress(name, done, total) }
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
		err = fmt.Errorf("fetch %s: attempt %d of %d: %w", name, try, limits.Attempts, err)
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

// wait returns the time to wait after a failed attempt. It doubles with each
// attempt, and up to half of it is random, so that machines that start together
// do not ask together.
func wait(first time.Duration, try int) time.Duration {
	d := min(first, maxBackoff)
	for range try - 1 {
		d = min(2*d, maxBackoff)
	}
	return d/2 + rand.N(d/2+1)
}

// stopped returns the reason why a context is done.
func stopped(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
