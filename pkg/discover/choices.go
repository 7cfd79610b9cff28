// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package discover

import "github.com/imaboot/imaboot/pkg/entry"

// A Choice is an entry that is offered.
type Choice struct {
	entry.Entry
	// Config is the configuration that the entry is from.
	Config *entry.Config
	// Default means that the boot loader would boot the entry. The first
	// configuration that boots anything decides. If it boots something that
	// is not offered, no choice is the default.
	Default bool
}

// choicesOf returns the entries of all configurations, each once.
func choicesOf(configs []*entry.Config) []Choice {
	var out []Choice
	at := map[string]int{}
	decided := false
	for _, c := range configs {
		for i := range c.Entries {
			e := &c.Entries[i]
			key := e.Key()
			if _, ok := at[key]; !ok {
				at[key], out = len(out), append(out, Choice{Entry: *e, Config: c})
			}
			if !decided && c.Default == i {
				out[at[key]].Default = true
			}
		}
		decided = decided || c.Default == entry.Elsewhere || (c.Default >= 0 && c.Default < len(c.Entries))
	}
	if len(out) > 0 && !decided {
		out[0].Default = true
	}
	return out
}
