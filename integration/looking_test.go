// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// TestLooking: if a rule measures files that are opened, the list that arrives
// names the kernel and the initrd that were booted, but none that were only
// offered. Without such a rule, the menu says how the list would travel.
func TestLooking(t *testing.T) {
	const runsPolicy = "/etc/runs.policy"
	own, other := kernel(t, lab.Own4k), kernel(t, lab.Debian61)
	config := fmt.Sprintf("set default=1\n"+
		"menuentry other { linux /boot/other-kernel\n initrd /boot/other-initrd }\n"+
		"menuentry 'the system' { linux /boot/vmlinux %s\n initrd /boot/initrd }\n"+
		"menuentry third { linux /boot/other-third\n initrd /boot/other-initrd }\n", lab.Cmdline(ppc64le))
	for _, tt := range []struct {
		name, policy string
		measured     bool
		says         string
	}{
		{"opens are measured", firmwarePolicy, true, "list: known when it is loaded"},
		{"opens are not measured", runsPolicy, false, "list: by the kernel"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			disk := newDiskWith(t, ppc64le, lab.Own4k, map[string]string{
				"/boot/grub/grub.cfg": hostFile(t, "config", []byte(config)),
				"/boot/other-kernel":  other, "/boot/other-third": own, "/boot/other-initrd": hostFile(t, "initrd", []byte("an initrd")),
			})
			firmware := newFirmware(t, ppc64le, script.Step{Run: []string{"/bin/imaboot", "entries", "--json"}}, report,
				find("--policy", tt.policy, "--timeout=2s", "-v"))
			firmware.Files[firmwarePolicy] = policyFiles[firmwarePolicy]
			firmware.Files[runsPolicy] = hostFile(t, "policy", []byte("measure func=BPRM_CHECK\n"))
			r := runGuest(t, lab.Guest{CPUs: 1, Devices: drive(ppc64le, disk), Stages: []lab.Stage{firmware}})
			checkArrived(t, r, 2)
			if !strings.Contains(r.Console, tt.says) {
				t.Errorf("%q is not on the console:\n%s", tt.says, r.Console)
			}
			// The guest's command line has ima_policy=tcb.
			checkNotLooked(t, ran(t, r.Stages[0], "entries").Data)
			list := r.Stages[1].Lists[len(r.Stages[1].Lists)-1].Data
			if bytes.Contains(list, []byte("/boot/other-")) {
				t.Error("the list names a file that was not booted")
			}
			for _, name := range []string{"/boot/vmlinux\x00", "/boot/initrd\x00"} {
				if got := bytes.Contains(list, []byte(name)); got != tt.measured {
					t.Errorf("the list names %q: %v, want %v", name, got, tt.measured)
				}
			}
		})
	}
}

// checkNotLooked expects entries of which only the names are known.
func checkNotLooked(t *testing.T, text []byte) {
	t.Helper()
	var got struct {
		Entries []struct{ Title, Carrier, Problem string }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Entries) != 3 {
		t.Errorf("entries %+v, want 3", got.Entries)
	}
	for _, e := range got.Entries {
		if e.Carrier+e.Problem != "" {
			t.Errorf("%+v: its files were opened", e)
		}
	}
}
