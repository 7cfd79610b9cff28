// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate returns a certificate for 127.0.0.1 that signs itself.
func certificate(t *testing.T, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestClock: where the machine's clock explains why a certificate does not
// verify, the error says so.
func TestClock(t *testing.T) {
	day := func(year int) time.Time { return time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		name            string
		from, to, clock time.Time
		unknown         bool // the authority
		err             error
		text            string
		clockIsNamed    bool
	}{
		{name: "valid", from: day(2025), to: day(2035), clock: day(2030)},
		{name: "a clock without a battery", from: day(2025), to: day(2035), clock: time.Unix(17, 0), err: ErrCertificate,
			text: "clock says 1970-01-01T00:00:17Z, and the certificate is valid from 2025-06-01T00:00:00Z", clockIsNamed: true},
		{name: "not valid yet", from: day(2032), to: day(2035), clock: day(2030), err: ErrCertificate,
			text: "clock says 2030-06-01T00:00:00Z, and the certificate is valid from 2032-06-01T00:00:00Z", clockIsNamed: true},
		{name: "expired", from: day(2025), to: day(2028), clock: day(2030), err: ErrCertificate, text: "expired"},
		{name: "expired, and the clock is old too", from: day(1980), to: day(1990), clock: day(2000), err: ErrCertificate,
			text: "clock says 2000-06-01T00:00:00Z, which is before this program was built", clockIsNamed: true},
		{name: "an unknown authority", from: day(2025), to: day(2035), clock: day(2030), unknown: true, err: ErrCertificate, text: "unknown authority"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cert := certificate(t, tt.from, tt.to)
			s := newServer(t, func(s *httptest.Server) {
				s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
				s.StartTLS()
			}, func(_ int, w http.ResponseWriter, r *http.Request) { serve(w, r) })
			f := &Fetcher{Roots: x509.NewCertPool(), clock: func() time.Time { return tt.clock }}
			if !tt.unknown {
				f.Roots.AddCert(cert.Leaf)
			}
			dir := t.TempDir()
			err := f.Fetch(t.Context(), s.URL, filepath.Join(dir, "kernel"), Sum{})
			checkFetched(t, dir, err, content, tt.err, tt.text)
			if tt.err != nil {
				checkFetched(t, dir, err, nil, tt.err, "attempt 1 of 5")
			}
			if named := err != nil && strings.Contains(err.Error(), "this machine's clock"); named != tt.clockIsNamed {
				t.Errorf("error %v: the clock is named: %v, want %v", err, named, tt.clockIsNamed)
			}
		})
	}
}
