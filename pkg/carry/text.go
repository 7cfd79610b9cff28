// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/imaboot/imaboot/internal/human"
)

// WriteText writes a snapshot for people: what was sent, the hops, the banks,
// the event log, and in the last line the verdict.
func (s *Snapshot) WriteText(w io.Writer) error {
	var b bytes.Buffer
	r := s.Report
	fmt.Fprintf(&b, "%s, %d bytes, %s, %s\n", human.Count(r.Records, "records"), r.Bytes, human.Count(r.Violations, "violations"), human.Count(len(r.Hops), "hops"))
	if s.TPM != nil && s.TPM.String() != "tpm0" {
		fmt.Fprintf(&b, "TPM: %s\n", s.TPM)
	}
	if l := s.Carried; l != nil {
		how := "were restored by the kernel, as sent by"
		if l.IsFile() {
			how = "came as a file, sent by"
		}
		fmt.Fprintf(&b, "%s of %s %s %q (%s)\n", human.Count(l.Note.Records, "records"), human.Count(l.Note.Hop, "hops"), how, l.Note.Kernel, l.Dir)
	}
	for i, h := range r.Hops {
		fmt.Fprintf(&b, "hop %d: records %d to %d, %s", i+1, h.First, h.First+h.Records-1, human.Count(h.Violations, "violations"))
		if h.BootAggregate != "" {
			fmt.Fprintf(&b, ", boot_aggregate %s", h.BootAggregate)
		}
		if h.Kernel != "" {
			fmt.Fprintf(&b, ", kernel %q", h.Kernel)
		}
		b.WriteByte('\n')
	}
	for _, x := range r.Banks {
		fmt.Fprintf(&b, "PCR %d %s: replayed %s, PCR %s, extended %v\n", x.PCR, x.Algorithm, x.Replayed, x.Value, x.Forms)
	}
	s.Events.write(&b)
	if a := s.Aggregate; a != nil {
		fmt.Fprintf(&b, "hop 1: %s\n", a.Text)
	}
	fmt.Fprintln(&b, r.Text)
	_, err := b.WriteTo(w)
	return refuse(err)
}

// write writes an event log for people, if there is one.
func (r *EventReport) write(out *bytes.Buffer) {
	if r == nil {
		return
	}
	texts := map[int][]string{}
	for _, x := range r.Registers {
		text := string(x.Algorithm) + " match"
		if !x.Match {
			text = string(x.Algorithm) + " no match"
		}
		texts[x.PCR] = append(texts[x.PCR], text)
	}
	fmt.Fprintf(out, "event log: %s, %d bytes; PCR 8: %s; PCR 9: %s\n", human.Count(r.Events, "events"), r.Bytes, strings.Join(texts[8], ", "), strings.Join(texts[9], ", "))
	for i, a := range r.Aggregates {
		if a.PCRs == "" {
			fmt.Fprintf(out, "hop %d: boot_aggregate is not explained by the event log\n", i+1)
			continue
		}
		fmt.Fprintf(out, "hop %d: boot_aggregate is that of PCR %s after %s\n", i+1, a.PCRs, human.Count(a.Events, "events"))
	}
}
