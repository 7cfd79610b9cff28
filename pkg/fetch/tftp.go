// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/imaboot/imaboot/pkg/fetch/internal/tftp"
)

// tftp downloads the file from its beginning.
func (d *transfer) tftp(ctx context.Context) error {
	address := net.JoinHostPort(d.url.Hostname(), cmp.Or(d.url.Port(), "69"))
	r, err := tftp.Open(ctx, address, tftpName(d.url))
	if err != nil {
		return tftpError(err)
	}
	defer r.Close()
	d.idle()
	if err := d.expect(r.Size); err != nil {
		return err
	}
	return d.copy(r)
}

// tftpName is the file's name for the server: RFC 3617 knows no query and no
// fragment.
func tftpName(u *url.URL) string {
	name := strings.TrimPrefix(u.Path, "/")
	if u.RawQuery != "" {
		name += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		name += "#" + u.Fragment
	}
	return name
}

// tftpError classifies why a file could not be opened. Servers use code 0 for
// whatever has no other: another attempt may help.
func tftpError(err error) error {
	e, ok := errors.AsType[*tftp.Error](err)
	switch {
	case ok && e.Code == tftp.CodeNotFound:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case ok && e.Code != tftp.CodeUndefined, errors.Is(err, tftp.ErrName):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case isTimeout(err):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
