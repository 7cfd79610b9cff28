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
	"strings"
	"unicode/utf8"

	"github.com/imaboot/imaboot/internal/human"
)

// text formats a field as the kernel does in ascii_runtime_measurements
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
		case 1:
			return strconv.FormatUint(uint64(f.Data[0]), 10)
		case 2:
			return strconv.FormatUint(uint64(r.order.Uint16(f.Data)), 10)
		case 4:
			return strconv.FormatUint(uint64(r.order.Uint32(f.Data)), 10)
		case 8:
			return strconv.FormatUint(r.order.Uint64(f.Data), 10)
		}
		return ""
	}
	return hex.EncodeToString(f.Data)
}

// ASCII returns the record as a line of ascii_runtime_measurements, without the
// newline. Trailing blanks belong to the line: an empty field leaves one. Data
// of an unknown template is printed in hexadecimal.
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

// A RecordReport is a record in the form that programs read, as JSON.
type RecordReport struct {
	Record    int               `json:"record"`
	PCR       uint32            `json:"pcr"`
	Digest    string            `json:"template_digest"`
	Template  string            `json:"template"`
	Violation bool              `json:"violation,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"`
	// Raw holds the bytes of fields whose text does not say what they are, in
	// hexadecimal: texts that are not valid UTF-8 or go on behind a NUL, and
	// numbers of an odd size. In Fields, the invalid bytes of a text appear
	// as \xNN.
	Raw map[string]string `json:"raw,omitempty"`
	// Data is the template data of an unknown template, in hexadecimal.
	Data string `json:"data,omitempty"`
}

// Report returns what ASCII prints, divided into named parts.
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
		id := f.ID
		for n := 2; ; n++ {
			if _, taken := out.Fields[id]; !taken {
				break
			}
			id = fmt.Sprintf("%s#%d", f.ID, n) // a format can name a field twice
		}
		text := r.text(f)
		if !f.isText(text) {
			if out.Raw == nil {
				out.Raw = map[string]string{}
			}
			out.Raw[id] = hex.EncodeToString(f.Data)
			text = escaped(text)
		}
		out.Fields[id] = text
	}
	return out
}

// isText reports whether a field's bytes can be found again from its text.
func (f Field) isText(text string) bool {
	switch fields[f.ID] {
	case formatString:
		if string(bytes.TrimRight(f.Data, "\x00")) != text {
			return false
		}
	case formatUint:
		return text != "" || len(f.Data) == 0
	}
	return utf8.ValidString(text)
}

// Reports returns the reports of all records.
func (l *List) Reports() []RecordReport {
	out := make([]RecordReport, 0, l.records)
	for r := range l.All {
		out = append(out, r.Report())
	}
	return out
}

// WriteASCII writes the list exactly as the kernel prints it in
// ascii_runtime_measurements. Names of files are in it as they are, and may hold
// what controls a terminal.
func (l *List) WriteASCII(out io.Writer) error {
	return l.writeLines(out, func(s string) string { return s })
}

// WritePrintable writes what WriteASCII does, with everything escaped that is no
// printable character. Each record is one line.
func (l *List) WritePrintable(out io.Writer) error { return l.writeLines(out, human.Printable) }

func (l *List) writeLines(out io.Writer, form func(string) string) error {
	w := bufio.NewWriter(out)
	for r := range l.All {
		fmt.Fprintln(w, form(r.ASCII()))
	}
	return w.Flush()
}

// escaped replaces the bytes of a text that are not valid UTF-8 by \xNN.
func escaped(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		c, n := utf8.DecodeRuneInString(text)
		if c == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}
