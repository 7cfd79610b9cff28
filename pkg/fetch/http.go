// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const maxRedirects = 10

// client returns a client for one file. Its transport trusts this Fetcher's
// roots, and does not share connections with other downloads.
func (f *Fetcher) client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: f.Roots, MinVersion: tls.VersionTLS12}
	// Lengths and ranges must count the bytes that arrive.
	transport.DisableCompression = true
	// HTTP/2 gains nothing where a connection carries a single file.
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("%w: more than %d redirects", ErrRefused, maxRedirects)
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: redirect to %s", ErrRefused, req.URL.Redacted())
	case last.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: redirect from https to %s", ErrRefused, req.URL.Redacted())
	}
	return nil
}

// http downloads the file, or the rest of it (RFC 9110, section 14).
func (d *transfer) http(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	resume := d.done > 0
	if resume {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
		req.Header.Set("If-Range", d.validator)
	}
	resp, err := client.Do(req)
	if err != nil {
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return fmt.Errorf("%w: %w", ErrCertificate, err)
		}
		if isTimeout(err) {
			return fmt.Errorf("%w: %w", ErrTimeout, err)
		}
		return err
	}
	defer resp.Body.Close()
	d.idle()
	switch {
	case resp.StatusCode == http.StatusOK:
		if err := d.restart(); err != nil {
			return err
		}
		if err := d.expect(resp.ContentLength); err != nil {
			return err
		}
		if resp.ContentLength >= 0 {
			d.validator = validator(resp.Header)
		}
	case resume && resp.StatusCode == http.StatusPartialContent:
		if !continues(resp, d.done, d.total) {
			d.validator = ""
			return fmt.Errorf("%w: the server sends another range than asked for", errBroken)
		}
	default:
		if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			d.validator = ""
		}
		return statusError(resp.StatusCode, resp.Status)
	}
	return d.copy(resp.Body)
}

// continues reports whether an answer holds exactly the rest of a file.
func continues(resp *http.Response, done, total int64) bool {
	span, length, _ := strings.Cut(strings.TrimPrefix(resp.Header.Get("Content-Range"), "bytes "), "/")
	first, last, _ := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	all, err3 := strconv.ParseInt(length, 10, 64)
	return err1 == nil && err2 == nil && err3 == nil &&
		from == done && to == all-1 && all == total
}

// validator returns a strong validator of the answer, or "" if there is none
// (RFC 9110, section 8.8).
func validator(h http.Header) string {
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	modified, err1 := http.ParseTime(h.Get("Last-Modified"))
	date, err2 := http.ParseTime(h.Get("Date"))
	// A file may change twice within one second.
	if err1 != nil || err2 != nil || date.Sub(modified) < time.Second {
		return ""
	}
	return h.Get("Last-Modified")
}

// statusError explains an answer without a file. Another attempt may help after
// every 5xx, and after the codes for which RFC 9110 and RFC 6585 allow one.
func statusError(code int, status string) error {
	switch {
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: HTTP %s", ErrNotFound, status)
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly ||
		code == http.StatusTooManyRequests || code == http.StatusRequestedRangeNotSatisfiable ||
		code >= 500:
		return fmt.Errorf("HTTP %s", status)
	}
	return fmt.Errorf("%w: HTTP %s", ErrRefused, status)
}
