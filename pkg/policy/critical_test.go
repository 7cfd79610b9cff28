// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

func TestMeasuresKexec(t *testing.T) {
	const symbol = "0000000000000000 T ima_measure_kexec_event\n"
	for _, tt := range []struct {
		name, symbols, cmdline, policy string
		rule                           string
		plain                          bool
		loaded                         string
	}{
		{"an older kernel", "0000000000000000 T other\n", "ima_policy=critical_data", "measure func=CRITICAL_DATA\n", "", false, ""},
		{"no rule", symbol, "", "measure func=BPRM_CHECK\n", "", false, ""},
		{"every label", symbol, "", "measure func=CRITICAL_DATA\n", "measure func=CRITICAL_DATA", true, ""},
		{"this label", symbol, "", "measure func=CRITICAL_DATA label=selinux|ima_kexec\n", "measure func=CRITICAL_DATA label=selinux|ima_kexec", true, ""},
		{"another label", symbol, "ima_policy=critical_data", "measure func=CRITICAL_DATA label=selinux\n", "", false, ""},
		{"left out before", symbol, "", "dont_measure func=CRITICAL_DATA label=ima_kexec\nmeasure func=CRITICAL_DATA\n", "", false, ""},
		{"another template", symbol, "", "measure func=CRITICAL_DATA template=ima-ng\n", "measure func=CRITICAL_DATA template=ima-ng", false, ""},
		{"policy is not shown", symbol, "ima_policy=tcb|critical_data", "", "ima_policy=tcb|critical_data", true, ""},
		{"quoted with blanks", symbol, `ima-policy="tcb critical_data"`, "", "ima_policy=tcb critical_data", true, ""},
		{"an argument of init", symbol, "quiet -- ima_policy=critical_data", "", "", false, ""},
		{"loaded and not shown", symbol, "ima_policy=tcb", "", "measure func=CRITICAL_DATA label=ima_kexec", true, "measure func=CRITICAL_DATA label=ima_kexec\n"},
		{"replaced and not shown", symbol, "ima_policy=critical_data", "", "", false, "measure func=BPRM_CHECK\n"},
		{"left out for others", symbol, "", "dont_measure func=CRITICAL_DATA uid=1000\nmeasure func=CRITICAL_DATA\n", "measure func=CRITICAL_DATA", false, ""},
		{"nothing is shown", symbol, "ima_policy=tcb", "", "", false, ""},
		{"symbols are not shown", "", "", "measure func=CRITICAL_DATA\n", "measure func=CRITICAL_DATA", true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{"proc/cmdline": tt.cmdline}
			for name, content := range map[string]string{"proc/kallsyms": tt.symbols, policyFile: tt.policy} {
				if content != "" {
					files[name] = content
				}
			}
			root := fileroot.New(t, files)
			got, err := MeasuresKexec(root, tt.loaded)
			if err != nil {
				t.Fatal(err)
			}
			if got == nil {
				got = &KexecRule{}
			}
			if got.Text != tt.rule || got.Plain != tt.plain {
				t.Errorf("%+v, want %q %v", got, tt.rule, tt.plain)
			}
		})
	}
}
