// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/imaboot/imaboot/pkg/carry"
)

func printEvents(out io.Writer, r *carry.EventReport) {
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
	fmt.Fprintf(out, "event log: %s, %d bytes; PCR 8: %s; PCR 9: %s\n", count(r.Events, "events"), r.Bytes, strings.Join(texts[8], ", "), strings.Join(texts[9], ", "))
	for i, a := range r.Aggregates {
		if a.PCRs == "" {
			fmt.Fprintf(out, "hop %d: boot_aggregate is not explained by the event log\n", i+1)
			continue
		}
		fmt.Fprintf(out, "hop %d: boot_aggregate is that of PCR %s after %s\n", i+1, a.PCRs, count(a.Events, "events"))
	}
}
