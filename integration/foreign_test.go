// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// TestASCII: imaboot prints the list exactly as the kernel does, for every
// template.
func TestASCII(t *testing.T) {
	t.Parallel()
	const (
		custom     = "d-ng|n-ng|iuid|igid|imode|sig"
		ours       = "/ours"
		securityfs = "/sys/kernel/security/integrity/ima/"
		theirs     = securityfs + "ascii_runtime_measurements_sha1"
	)
	templates := []string{"ima", "ima-ng", "ima-sig", "ima-ngv2", "ima-sigv2", "ima-modsig", "evm-sig", custom}
	var policy strings.Builder
	var steps []script.Step
	for i, name := range templates {
		owner := 1001 + i
		rule := fmt.Sprintf("measure func=FILE_CHECK mask=^MAY_READ fowner=%d", owner)
		if name != custom {
			rule += " template=" + name
		}
		policy.WriteString(rule + "\n")
		steps = append(steps, script.Step{Measure: 3, Owner: owner})
	}
	steps = append(steps,
		script.Step{Run: []string{"/bin/imaboot", "list", "--format=ascii", "--output", ours}},
		script.Step{Read: ours}, script.Step{Read: theirs}, report)
	// The custom template is the default one. Critical data uses ima-buf.
	r := runGuest(t, lab.Guest{CPUs: 1, Append: "ima_policy=critical_data ima_template_fmt=" + custom, Stages: []lab.Stage{{
		Kernel: kernel(t, lab.Own4k),
		Stage:  script.Stage{Name: "1", Steps: append([]script.Step{{Write: securityfs + "policy", Content: policy.String()}}, steps...)},
	}}})
	s := stage(t, r, "1")
	_, content := kept(s)
	got, want := string(content[ours]), string(content[theirs])
	// Files that were opened since then follow.
	if got == "" || !strings.HasPrefix(want, got) {
		t.Errorf("imaboot prints\n%s\nthe kernel\n%s", got, want)
	}
	for _, name := range append(templates, "ima-buf") {
		if !strings.Contains(got, " "+name+" ") {
			t.Errorf("no record of template %s in\n%s", name, got)
		}
	}
}

// TestForeignReaders: programs of other projects accept a list of two kernels
// with the guest's PCR 10.
func TestForeignReaders(t *testing.T) {
	t.Parallel()
	stock := kernel(t, lab.Debian61)
	r := runGuest(t, lab.Guest{CPUs: 1, Stages: []lab.Stage{
		{Kernel: stock, Stage: script.Stage{Name: "1", Steps: []script.Step{{Measure: 10}, boot(ppc64le)}}},
		{Kernel: stock, Stage: script.Stage{Name: "2", Steps: joined}},
	}})
	l := stage(t, r, "2").Lists[0]
	checkEvmctl(t, l)

	// IBM's TSS extends a new TPM with the list.
	tss := newTSS(t)
	tss("tssimaextend", "-le", "-if", hostFile(t, "list", l.Data))
	got := strings.ToLower(regexp.MustCompile(`[^0-9a-fA-F]`).ReplaceAllString(tss("tsspcrread", "-ha", "10", "-halg", "sha1", "-ns"), ""))
	if want := hex.EncodeToString(l.PCRs[0].Value); l.PCRs[0].Algorithm != pcr.SHA1 || got != want {
		t.Errorf("PCR 10 of sha1 is %s after tssimaextend, the guest's %s is %s", got, l.PCRs[0].Algorithm, want)
	}
}

// checkEvmctl replays a list with ima-evm-utils. It reads all PCRs of a bank
// from a file, and knows two banks.
func checkEvmctl(t *testing.T, l lab.List) {
	t.Helper()
	args := []string{"ima_measurement", "--ignore-violations"}
	for _, p := range l.PCRs {
		if p.Algorithm != pcr.SHA1 && p.Algorithm != pcr.SHA256 {
			continue
		}
		var text strings.Builder
		for i := range 24 {
			value := make([]byte, len(p.Value))
			if i == 10 {
				value = p.Value
			}
			fmt.Fprintf(&text, "PCR-%02d: %x\n", i, value)
		}
		args = append(args, "--pcrs", string(p.Algorithm)+","+hostFile(t, string(p.Algorithm), []byte(text.String())))
	}
	out, err := exec.Command("evmctl", append(args, hostFile(t, "list", l.Data))...).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Matched per TPM bank calculated digest(s).")) {
		t.Errorf("evmctl: %v\n%s", err, out)
	}
}

// newTSS starts a TPM. It returns a function that runs a program of IBM's TSS
// with this TPM.
func newTSS(t *testing.T) func(argv ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bin, lib, err := theLab.TSS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	// The path of a socket has to be short.
	dir, err := os.MkdirTemp("", "tss")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir,
		"--server", fmt.Sprintf("type=tcp,bindaddr=127.0.0.1,port=%d", port), "--ctrl", "type=unixio,path="+filepath.Join(dir, "ctrl"),
		"--flags", "not-need-init,startup-clear")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("swtpm ended: %v", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return func(argv ...string) string {
		t.Helper()
		cmd := exec.Command(filepath.Join(bin, argv[0]), argv[1:]...)
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+lib, "TPM_INTERFACE_TYPE=socsim", "TPM_SERVER_TYPE=raw", fmt.Sprintf("TPM_COMMAND_PORT=%d", port), "TPM_DATA_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", argv, err, out)
		}
		return string(out)
	}
}
