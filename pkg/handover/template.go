// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"fmt"
	"strings"
)

// maxEventName is the length of the longest name in a record of the template
// "ima": IMA_EVENT_NAME_LEN_MAX of security/integrity/ima/ima.h.
const maxEventName = 255

// templates are the kernel's built-in templates (builtin_templates of
// security/integrity/ima/ima_template.c).
var templates = map[string]string{
	imaName:      "d|n",
	"ima-ng":     "d-ng|n-ng",
	"ima-sig":    "d-ng|n-ng|sig",
	"ima-ngv2":   "d-ngv2|n-ng",
	"ima-sigv2":  "d-ngv2|n-ng|sig",
	bufName:      "d-ng|n-ng|buf",
	"ima-modsig": "d-ng|n-ng|sig|d-modsig|modsig",
	"evm-sig":    "d-ng|n-ng|evmsig|xattrnames|xattrlengths|xattrvalues|iuid|igid|imode",
}

// A format says how a field is printed (enum data_formats of
// ima_template_lib.c).
type format int

const (
	formatHex format = iota
	formatDigestAlgo
	formatString
	formatUint
)

// fields are the fields that the kernel knows (supported_fields of
// ima_template.c).
var fields = map[string]format{
	"d": formatHex, "d-ng": formatDigestAlgo, "d-ngv2": formatDigestAlgo, "d-modsig": formatDigestAlgo,
	"n": formatString, "n-ng": formatString,
	"sig": formatHex, "evmsig": formatHex, "modsig": formatHex, "buf": formatHex,
	"xattrnames": formatString, "xattrlengths": formatHex, "xattrvalues": formatHex,
	"iuid": formatUint, "igid": formatUint, "imode": formatUint,
}

// maxFields is TEMPLATE_NUM_FIELDS_MAX of ima_template.c.
const maxFields = 15

// A Field is one field of a record's template data.
type Field struct {
	// ID is the field's name in the template's format, such as d-ng.
	ID   string
	Data []byte
}

// formatOf returns the names of a template's fields. The name of a custom
// template is its format.
func formatOf(name string) ([]string, error) {
	f, ok := templates[name]
	if !ok {
		f = name
	}
	ids := strings.Split(f, "|")
	if len(ids) > maxFields {
		return nil, fmt.Errorf("template %q has %d fields, the kernel knows %d", name, len(ids), maxFields)
	}
	for _, id := range ids {
		if _, ok := fields[id]; !ok {
			return nil, fmt.Errorf("template %q has an unknown field %q", name, id)
		}
	}
	return ids, nil
}

// Fields splits the template data into its fields. If the template is unknown
// or the data does not fit it, the error wraps ErrCorrupt.
func (r *Record) Fields() ([]Field, error) {
	ids, err := formatOf(string(r.Name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if string(r.Name) == imaName {
		return []Field{{"d", r.Data[:sha1Size]}, {"n", r.Data[sha1Size+4:]}}, nil
	}
	out := make([]Field, 0, len(ids))
	rest := r.Data
	for _, id := range ids {
		var value []byte
		if value, rest, err = r.cut(rest); err != nil {
			return nil, fmt.Errorf("field %s: %w", id, err)
		}
		out = append(out, Field{id, value})
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes after the last field", ErrCorrupt, len(rest))
	}
	return out, nil
}

// cut takes one field, which begins with its length, from the front of b.
func (r *Record) cut(b []byte) (value, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, fmt.Errorf("%w: length ends after %d bytes", ErrCorrupt, len(b))
	}
	n := uint64(r.order.Uint32(b))
	if b = b[4:]; n > uint64(len(b)) {
		return nil, nil, fmt.Errorf("%w: %d bytes, but %d are left", ErrCorrupt, n, len(b))
	}
	return b[:n:n], b[n:], nil
}

// eventName returns the name without its NUL.
func (r *Record) eventName() []byte {
	field, _ := r.nameField()
	name, _, _ := bytes.Cut(field, zeros[:1])
	return name
}

// nameField returns the field that holds the name: the second one in every
// built-in template, the first n or n-ng in a format. It runs for every record
// to find the boot_aggregates, so it has a short path for built-in templates.
// It returns false if the template is unknown, has no name or does not fit the
// data.
func (r *Record) nameField() ([]byte, bool) {
	d := r.Data
	switch string(r.Name) {
	case "ima-ng", "ima-sig", "ima-ngv2", "ima-sigv2", bufName, "ima-modsig", "evm-sig":
	case imaName:
		return d[sha1Size+4:], true
	default:
		return r.formatName()
	}
	if len(d) < 4 {
		return nil, false
	}
	n := uint64(r.order.Uint32(d))
	if n+8 > uint64(len(d)) {
		return nil, false
	}
	d = d[4+n:]
	if n = uint64(r.order.Uint32(d)); n > uint64(len(d)-4) {
		return nil, false
	}
	return d[4 : 4+n], true
}

// formatName does what nameField does for a template whose name is its format.
func (r *Record) formatName() ([]byte, bool) {
	var name []byte
	found := false
	format, data := r.Name, r.Data
	for more := true; more; {
		var id, value []byte
		var err error
		id, format, more = bytes.Cut(format, []byte{'|'})
		if _, ok := fields[string(id)]; !ok {
			return nil, false
		}
		if value, data, err = r.cut(data); err != nil {
			return nil, false
		}
		if !found && (string(id) == "n" || string(id) == "n-ng") {
			name, found = value, true
		}
	}
	return name, found
}

// splitDigest divides a d-ng or d-ngv2 field into the name of its algorithm
// ("sha256", "ima:sha256") and the digest. The first NUL ends the name; the
// digest may contain any byte.
func splitDigest(value []byte) (algorithm string, digest []byte, ok bool) {
	i := bytes.IndexByte(value, 0)
	if i < 1 || value[i-1] != ':' {
		return "", nil, false
	}
	return string(value[:i-1]), value[i+1:], true
}

// bufName is the template of measured buffers. Its last field is the content.
const bufName = "ima-buf"

// isBuffer reports whether the record is of template ima-buf and has that name.
func (r *Record) isBuffer(name string) bool {
	return string(r.Name) == bufName && string(r.eventName()) == name
}

// content returns the content of an ima-buf record.
func (r *Record) content() (string, error) {
	all, err := r.Fields()
	if err != nil {
		return "", err
	}
	return string(all[len(all)-1].Data), nil
}
