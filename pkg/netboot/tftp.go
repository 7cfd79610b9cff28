// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package netboot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/u-root/u-root/pkg/curl"
	"pack.ag/tftp"
)

// tftpClient asks as u-root's default client does, and waits less: after so
// many seconds without a datagram the next attempt begins, which the client
// itself does not do for a request that got lost.
var tftpClient = curl.NewTFTPClient(
	tftp.ClientMode(tftp.ModeOctet), tftp.ClientBlocksize(1450), tftp.ClientWindowsize(64),
	tftp.ClientRetransmit(5))

var errDatagram = errors.New("malformed datagram")

// opening is the answer to a request: the file's size, -1 if the server does
// not tell it.
type opening struct {
	size int64
	err  error
}

// tftp gets the file from its beginning (RFC 1350, 2347 to 2349, 7440).
func (d *transfer) tftp(ctx context.Context) error {
	opened := make(chan opening, 1)
	r, w := io.Pipe()
	// The client knows no context: it runs on its own, and ends at the latest
	// when its retransmissions do.
	go tftpCopy(ctx, d.url, w, opened)
	stop := context.AfterFunc(ctx, func() { r.CloseWithError(stopped(ctx)) })
	defer stop()
	defer r.Close()
	select {
	case o := <-opened:
		if o.err != nil {
			return o.err
		}
		d.idle()
		if err := d.expect(o.size); err != nil {
			return err
		}
		return d.copy(r)
	case <-ctx.Done():
		return stopped(ctx)
	}
}

func tftpCopy(ctx context.Context, u *url.URL, w *io.PipeWriter, opened chan opening) {
	var err error
	defer func() {
		// The client's decoder indexes what some malformed datagrams lack.
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDatagram, p)
		}
		w.CloseWithError(err)
		if err != nil {
			select {
			case opened <- opening{err: err}:
			default: // it was opened, and the pipe tells
			}
		}
	}()
	var r io.Reader
	r, err = tftpClient.FetchWithoutCache(ctx, u)
	if err != nil {
		err = tftpError(err)
		return
	}
	o := opening{size: -1}
	// Some servers acknowledge the option without knowing the size.
	if s, ok := r.(interface{ Size() (int64, error) }); ok {
		if n, err := s.Size(); err == nil && n > 0 {
			o.size = n
		}
	}
	opened <- o
	// The reader waits until the buffer is full, so that a small one notices
	// sooner that a server sends something.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 4<<10))
	err = tftpError(err)
}

// tftpError sorts errors of a client that exports no codes.
func tftpError(err error) error {
	cause := tftp.ErrorCause(err)
	switch {
	case err == nil:
		return nil
	case tftp.IsRemoteError(err) && strings.HasPrefix(cause.Error(), "remote error: ERROR[Code: FILE_NOT_FOUND;"):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case tftp.IsRemoteError(err) && !strings.HasPrefix(cause.Error(), "remote error: ERROR[Code: NOT_DEFINED;"):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(cause, tftp.ErrInvalidURL) || errors.Is(cause, tftp.ErrInvalidHostIP) || errors.Is(cause, tftp.ErrInvalidFile):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(cause, tftp.ErrMaxRetries) || isTimeout(cause):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
