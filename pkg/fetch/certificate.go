// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// certificateError explains why a server's certificate does not verify, or
// returns nil if err is about something else. Where the machine's clock explains
// it, it says so: machines without a battery begin in 1970.
func certificateError(err error, now time.Time) error {
	e, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return nil
	}
	at := now.UTC().Format(time.RFC3339)
	invalid, ok := errors.AsType[x509.CertificateInvalidError](e.Err)
	switch {
	case ok && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		return fmt.Errorf("%w: this machine's clock says %s, and the certificate is valid from %s: is the clock wrong?",
			ErrCertificate, at, invalid.Cert.NotBefore.UTC().Format(time.RFC3339))
	case now.Before(built()):
		return fmt.Errorf("%w: this machine's clock says %s, which is before this program was built: the clock is wrong (%w)",
			ErrCertificate, at, e.Err)
	}
	return fmt.Errorf("%w: %w", ErrCertificate, e.Err)
}

// built returns a time before which no right clock can be: that of the commit
// that the program was built from, where it is known.
func built() time.Time {
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
					return t
				}
			}
		}
	}
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
}
