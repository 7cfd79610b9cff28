// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
)

// text prints a field as the kernel does in ascii_runtime_measurements
// (ima_show_template_data_ascii of ima_template_lib.c).
func (r *Record) text(f Field) string {
	switch fields[f.ID] {
	case formatDigestAlgo:
		if algorithm, digest, ok := splitDigest(f.Data); ok {
			return algorithm + ":" + hex.EncodeToString(digest)
		}
	case formatString:
		s, _, _ := bytes.Cut(f.Data, zeros[:1])
		return string(s)
	case formatUint:
		switch len(f.Data) {
		case 2:
			return strconv.FormatUint(uint64(r.order.Uint16(f.Data)), 10)
		case 4:
			return strconv.FormatUint(uint64(r.order.Uint32(f.Data)), 10)
		}
		return ""
	}
	return hex.EncodeToString(f.Data)
}

// ASCII is the record as a line of ascii_runtime_measurements, without the
// newline. Trailing blanks are part of it: an empty field has one. Data of an
// unknown template is printed as hexadecimal digits.
func (r *Record) ASCII() string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%2d %x %s", r.PCR, r.Digest, r.Name)
	all, err := r.Fields()
	if err != nil {
		fmt.Fprintf(&b, " %x", r.Data)
		return b.String()
	}
	for _, f := range all {
		b.WriteByte(' ')
		b.WriteString(r.text(f))
	}
	return b.String()
}

// A RecordReport is a record for machines.
type RecordReport struct {
	Record    int               `json:"record"`
	PCR       uint32            `json:"pcr"`
	Digest    string            `json:"template_digest"`
	Template  string            `json:"template"`
	Violation bool              `json:"violation,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"`
	// Data is the template data of an unknown template.
	Data string `json:"data,omitempty"`
}

// Report is the record as printed by ASCII, in named parts.
func (r *Record) Report() RecordReport {
	out := RecordReport{
		Record: r.Number, PCR: r.PCR, Digest: hex.EncodeToString(r.Digest),
		Template: string(r.Name), Violation: r.Violation(),
	}
	all, err := r.Fields()
	if err != nil {
		out.Data = hex.EncodeToString(r.Data)
		return out
	}
	out.Fields = map[string]string{}
	for _, f := range all {
		out.Fields[f.ID] = r.text(f)
	}
	return out
}

// WriteASCII writes the list as the kernel prints it, to the byte
// (ascii_runtime_measurements).
func (l *List) WriteASCII(out io.Writer) error {
	w := bufio.NewWriter(out)
	for r := range l.All {
		fmt.Fprintln(w, r.ASCII())
	}
	return w.Flush()
}
