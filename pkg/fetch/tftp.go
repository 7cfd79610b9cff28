// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

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

// tftpClient has the options of u-root's default client, but a shorter timeout.
// The client does not repeat a request that got lost; after this many seconds
// without a datagram it gives up, and the next attempt begins.
var tftpClient = curl.NewTFTPClient(
	tftp.ClientMode(tftp.ModeOctet), tftp.ClientBlocksize(1450), tftp.ClientWindowsize(64),
	tftp.ClientRetransmit(5))

var errDatagram = errors.New("malformed datagram")

// An opening is the answer to a request. size is -1 if the server does not
// tell it.
type opening struct {
	size int64
	err  error
}

// tftp downloads the file from its beginning (RFC 1350, 2347 to 2349, 7440).
func (d *transfer) tftp(ctx context.Context) error {
	opened := make(chan opening, 1)
	r, w := io.Pipe()
	// The client takes no context. It runs in a goroutine that ends, at the
	// latest, when the client gives up.
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
		// The client's decoder panics on some malformed datagrams.
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDatagram, p)
		}
		w.CloseWithError(err)
		if err != nil {
			select {
			case opened <- opening{err: err}:
			default: // the file was opened: the pipe passes the error on
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
	// Some servers acknowledge tsize without knowing the size.
	if s, ok := r.(interface{ Size() (int64, error) }); ok {
		if n, err := s.Size(); err == nil && n > 0 {
			o.size = n
		}
	}
	opened <- o
	// The reader returns only full buffers. A small one shows sooner that the
	// server is still sending.
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, 4<<10))
	err = tftpError(err)
}

// tftpError classifies an error by its text: the client exports no codes.
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
