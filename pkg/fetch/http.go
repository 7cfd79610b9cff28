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
	"net/url"
	"strings"

	"github.com/imaboot/imaboot/pkg/entry"
)

const maxRedirects = 10

// client returns a client for one file. Its transport trusts this Fetcher's
// roots, uses no proxy, and does not share connections with other downloads.
func (f *Fetcher) client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.TLSClientConfig = &tls.Config{RootCAs: f.Roots, MinVersion: tls.VersionTLS12, Time: f.clock}
	// Lengths and ranges must count the bytes that arrive.
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = 64 << 10
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
		return fmt.Errorf("%w: redirect to %s", ErrRefused, entry.Redact(req.URL.String()))
	case last.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("%w: redirect from https to %s", ErrRefused, entry.Redact(req.URL.String()))
	}
	return nil
}

// http downloads the file, or the rest of it (RFC 9110, section 14).
func (d *transfer) http(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	resume := d.done > 0
	if resume {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
		req.Header.Set("If-Range", d.version.validator)
	}
	resp, err := client.Do(req)
	if err != nil {
		return d.requestError(err)
	}
	defer resp.Body.Close()
	d.idle()
	switch {
	case resp.StatusCode == http.StatusOK:
		err = d.begin(resp)
	case resume && resp.StatusCode == http.StatusPartialContent:
		err = d.goOn(resp)
	default:
		if resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			d.version = version{}
		}
		err = statusError(resp.StatusCode)
	}
	if err != nil {
		return err
	}
	return d.copy(resp.Body)
}

// begin takes an answer with the whole file.
func (d *transfer) begin(resp *http.Response) error {
	if err := d.restart(); err != nil {
		return err
	}
	if e := encoded(resp.Header, resp.Request.URL.Path); e != "" {
		return fmt.Errorf("%w: the server sends the file in the encoding %.40q only", ErrRefused, e)
	}
	if err := d.expect(resp.ContentLength); err != nil {
		return err
	}
	if resp.ContentLength >= 0 {
		d.version = versionOf(resp.Header)
	}
	return nil
}

// goOn takes an answer that must hold exactly the rest of the file. If it does
// not, the next attempt begins anew.
func (d *transfer) goOn(resp *http.Response) error {
	why := ""
	switch s, ok := parseSpan(resp.Header.Get("Content-Range")); {
	case !ok || s.first != d.done || s.last != s.all-1:
		why = "the server sends another range than asked for"
	case s.all != d.total || !d.version.same(resp.Header):
		why = "the server has another version of the file"
	default:
		return nil
	}
	d.version = version{}
	return fmt.Errorf("%w: %s", errBroken, why)
}

// requestError classifies why there is no answer.
func (d *transfer) requestError(err error) error {
	// The client's error repeats the URL.
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err := certificateError(err, d.clock()); err != nil {
		return err
	}
	if isTimeout(err) {
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	// A redirect that does not parse is quoted.
	if text := entry.Redact(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// statusError explains an answer without a file. Another attempt may help after
// every 5xx, and after the codes for which RFC 9110 and RFC 6585 allow one.
func statusError(code int) error {
	// The server's own text may be anything.
	status := strings.TrimSpace(fmt.Sprint(code, " ", http.StatusText(code)))
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
