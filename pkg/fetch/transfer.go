// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"net/url"
	"time"
)

// everyProgress is the shortest time between two reports of progress.
const everyProgress = 500 * time.Millisecond

// A transfer is the download of one file, over all attempts.
type transfer struct {
	url      *url.URL
	out      output
	limits   Limits
	want     Sum
	progress func(done, total int64)
	clock    func() time.Time // for certificates

	hash  hash.Hash
	done  int64 // bytes written to out
	total int64 // -1 if unknown
	// version is that of the file whose beginning is in out. It is empty if
	// the transfer cannot be resumed.
	version version
	told    time.Time
	// idle restarts the timer that ends an attempt if nothing arrives.
	idle func()
}

func newTransfer(u *url.URL, out output, limits Limits, want Sum) *transfer {
	return &transfer{
		url: u, out: out, limits: limits, want: want,
		hash: sha256.New(), total: -1, progress: func(int64, int64) {}, clock: time.Now,
	}
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// attempt runs one attempt and checks the result.
func (d *transfer) attempt(ctx context.Context, get func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(d.limits.Idle, func() {
		cancel(fmt.Errorf("%w: nothing for %v", ErrTimeout, d.limits.Idle))
	})
	defer timer.Stop()
	d.idle = func() { timer.Reset(d.limits.Idle) }

	if d.version == (version{}) {
		if err := d.restart(); err != nil {
			return err
		}
	}
	if err := get(ctx); err != nil {
		// The cause says more than the error of a cancelled request.
		if ctx.Err() != nil {
			return stopped(ctx)
		}
		return err
	}
	return d.check()
}

func (d *transfer) restart() error {
	d.done, d.total, d.version = 0, -1, version{}
	d.hash.Reset()
	if err := d.out.restart(); err != nil {
		return fmt.Errorf("%w: %w", errLocal, err)
	}
	return nil
}

// expect takes the length of the file, -1 if the server does not tell it.
func (d *transfer) expect(total int64) error {
	d.total = total
	switch {
	case total > d.limits.MaxSize:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooBig, total, d.limits.MaxSize)
	case total >= 0 && d.want.Size > 0 && total != d.want.Size:
		d.version = version{}
		return fmt.Errorf("%w: %d bytes, not %d", ErrSum, total, d.want.Size)
	}
	return nil
}

// copy reads the rest of the file.
func (d *transfer) copy(r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			d.idle()
			if err := d.write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: after %d bytes: %w", errBroken, d.done, err)
		}
	}
	if d.total >= 0 && d.done != d.total {
		return fmt.Errorf("%w: %d bytes of %d", errBroken, d.done, d.total)
	}
	return nil
}

func (d *transfer) write(p []byte) error {
	if d.total >= 0 && d.done+int64(len(p)) > d.total {
		d.version = version{}
		return fmt.Errorf("%w: more than the %d bytes that the server announced", errBroken, d.total)
	}
	if d.done+int64(len(p)) > d.limits.MaxSize {
		return fmt.Errorf("%w: more than %d bytes", ErrTooBig, d.limits.MaxSize)
	}
	if _, err := d.out.Write(p); err != nil {
		return fmt.Errorf("%w: %w", errLocal, err)
	}
	d.hash.Write(p)
	d.done += int64(len(p))
	if now := time.Now(); now.Sub(d.told) >= everyProgress {
		d.told = now
		d.progress(d.done, d.total)
	}
	return nil
}

// check compares a complete file with what is known about it.
func (d *transfer) check() error {
	// A wrong file must not be resumed.
	d.version = version{}
	if d.want.Size > 0 && d.done != d.want.Size {
		return fmt.Errorf("%w: %d bytes, not %d", ErrSum, d.done, d.want.Size)
	}
	if got := d.hash.Sum(nil); len(d.want.SHA256) > 0 && !bytes.Equal(got, d.want.SHA256) {
		return fmt.Errorf("%w: sha256:%x, not sha256:%x", ErrSum, got, d.want.SHA256)
	}
	return nil
}
