// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

func TestOpenRule(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no rule", "", ""},
		{"by root", "dont_measure fsmagic=0x9fa0\nmeasure func=FILE_CHECK mask=^MAY_READ uid=0 \n", "measure func=FILE_CHECK mask=^MAY_READ uid=0"},
		{"older name", "measure func=PATH_CHECK", "measure func=PATH_CHECK"},
		{"every function", "measure uid=0\n", "measure uid=0"},
		{"no condition at all", "measure\n", "measure"},
		{"one file system", "measure func=FILE_CHECK fsname=vfat\n", "measure func=FILE_CHECK fsname=vfat"},
		{"what runs", "measure func=BPRM_CHECK mask=MAY_EXEC\nmeasure func=MMAP_CHECK mask=MAY_EXEC\nmeasure func=MODULE_CHECK\nmeasure func=FIRMWARE_CHECK\nmeasure func=POLICY_CHECK\n", ""},
		{"what the kernel reads", "measure func=KEXEC_KERNEL_CHECK\nmeasure func=KEXEC_INITRAMFS_CHECK\nmeasure func=KEXEC_CMDLINE\n", ""},
		{"critical data", "measure func=CRITICAL_DATA label=ima_kexec\n", ""},
		{"appraised only", "appraise func=FILE_CHECK fowner=0\naudit func=FILE_CHECK\n", ""},
		{"left out before", "dont_measure func=FILE_CHECK\nmeasure func=FILE_CHECK uid=0\n", ""},
		{"everything is left out before", "dont_measure\nmeasure func=FILE_CHECK uid=0\n", ""},
		{"left out in one file system", "dont_measure fsmagic=0x01021994\nmeasure func=FILE_CHECK uid=0\n", "measure func=FILE_CHECK uid=0"},
		{"another function is left out", "dont_measure func=BPRM_CHECK\nmeasure func=FILE_CHECK uid=0\n", "measure func=FILE_CHECK uid=0"},
		{"comment", "# measure func=FILE_CHECK\n\n", ""},
	} {
		if got := openRule(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTemplate: the project's own policy measures what is opened.
func TestTemplate(t *testing.T) {
	text, err := os.ReadFile("../../templates/policies/firmware.policy")
	if err != nil {
		t.Fatal(err)
	}
	if got := openRule(string(text)); !strings.Contains(got, "func=FILE_CHECK") {
		t.Errorf("rule %q", got)
	}
}

func TestMeasuresOpens(t *testing.T) {
	const (
		opens = "measure func=FILE_CHECK uid=0\n"
		runs  = "measure func=BPRM_CHECK\n"
		gone  = fs.FileMode(0)
	)
	for _, tt := range []struct {
		name    string
		policy  string
		mode    fs.FileMode // of the policy file; gone if there is none
		cmdline string
		loaded  string
		want    bool
		why     string
	}{
		{"shown", opens, 0o600, "", "", true, `the rule "measure func=FILE_CHECK uid=0"`},
		{"shown, and the last one", opens, 0o400, "", "", true, "FILE_CHECK"},
		{"shown, no such rule", runs, 0o600, "ima_policy=tcb", "", false, "no rule measures"},
		{"shown, no rule", "", 0o600, "ima_policy=tcb", "", false, "no rule measures"},

		{"never loaded", "", 0o200, "quiet", "", false, "no rule measures"},
		{"never loaded, chosen", "", 0o200, "quiet ima_policy=secure_boot|tcb", "", true, "ima_policy=secure_boot|tcb"},
		{"never loaded, quoted", "", 0o200, `ima_policy="tcb"`, "", true, "the command line has"},
		{"never loaded, the older parameter", "", 0o200, "ima_tcb", "", true, "ima_tcb"},
		{"never loaded, others are chosen", "", 0o200, "ima_policy=critical_data ima_appraise_tcb ima_policy=appraise_tcb", "", false, "no rule measures"},

		{"somebody else's is not shown", "", gone, "", "", true, "not known: the kernel does not show"},
		{"imaboot's measures", "", gone, "", opens, true, "FILE_CHECK"},
		{"imaboot's does not", "", gone, "ima_policy=tcb", runs, false, "no rule measures"},
		{"imaboot's may be one of several", "", 0o200, "", runs, true, "not known: the kernel takes more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := fileroot.New(t, map[string]string{
				"proc/cmdline": tt.cmdline, "sys/kernel/security/integrity/ima/violations": "0\n", policyFile: tt.policy,
			})
			name := filepath.Join(root, policyFile)
			err := os.Chmod(name, tt.mode)
			if tt.mode == gone {
				err = os.Remove(name)
			}
			if err != nil {
				t.Fatal(err)
			}
			checkOpens(t, root, tt.loaded, tt.want, tt.why)
		})
	}
}

func TestMeasuresOpensNoIMA(t *testing.T) {
	checkOpens(t, fileroot.New(t, map[string]string{"sys/kernel/security/lsm": "lockdown"}), "", false, "no IMA")
	checkOpens(t, t.TempDir(), "", true, "securityfs is not mounted")
}

func checkOpens(t *testing.T, root, loaded string, want bool, why string) {
	t.Helper()
	got, because, err := MeasuresOpens(root, loaded)
	if err != nil {
		t.Fatal(err)
	}
	if got != want || !strings.Contains(because, why) {
		t.Errorf("%v, %q, want %v, %q", got, because, want, why)
	}
}
