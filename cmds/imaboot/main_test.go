// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/carry"
	"github.com/imaboot/imaboot/pkg/handover"
)

// What imaboot does to a running kernel is tested in guests. Here is what it
// does with arguments and files.

const captured = "../../pkg/handover/testdata/ppc64le-three-kernels"

// capturedPCRs are the flags for the captured list.
func capturedPCRs(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile(captured + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		PCR10 map[string]string `json:"pcr10"`
	}
	if err := json.Unmarshal(b, &info); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, a := range []string{"sha1", "sha256", "sha384", "sha512"} {
		args = append(args, "--pcr", a+"="+info.PCR10[a])
	}
	return args
}

func TestRun(t *testing.T) {
	list := captured + ".bin"
	pcrs := capturedPCRs(t)
	data, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cut := file("cut", data[:len(data)-1])
	parsed, err := handover.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	offset := 0 // of the fourth record
	for r := range parsed.All {
		if r.Number == 4 {
			offset = r.Offset
		}
	}
	var ascii bytes.Buffer
	if err := parsed.WriteASCII(&ascii); err != nil {
		t.Fatal(err)
	}
	text := file("text", ascii.Bytes())
	tampered := bytes.Clone(data)
	tampered[len(tampered)-2] ^= 1
	for _, tt := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"no kernel", []string{"load"}, 2, "", "one KERNEL is needed, 0 are given"},
		{"two kernels", []string{"boot", "a", "b"}, 2, "", "2 are given"},
		{"event log without a note", []string{"boot", "--measure", "--no-note", "x"}, 2, "", "--no-note leaves out"},
		{"help", []string{"--help"}, 0, "  imaboot plan [flags] KERNEL ", ""},
		{"help is a command", []string{"help"}, 0, "imaboot COMMAND --help", ""},
		{"help of a command", []string{"load", "/k", "--help"}, 0, "--command-line STRING", ""},
		{"help of a command, as words", []string{"help", "verify"}, 0, "  --pcr ALG=HEX           Compare", ""},
		{"version", []string{"version"}, 0, "imaboot " + carry.Version, ""},
		{"version for machines", []string{"version", "--json"}, 0, `"version": "` + carry.Version + `"`, ""},
		{"unknown flag", []string{"plan", "--nonsense", "x"}, 2, "", "nonsense"},
		{"bad choice", []string{"boot", "--tpm=maybe", "x"}, 2, "", "one of require, auto, off"},
		{"argument of unload", []string{"unload", "x"}, 2, "", `unexpected argument "x"`},
		{"PCR without list", []string{"verify", "--pcr", "sha1=00"}, 2, "", "--pcr goes with --list"},

		{"match", append([]string{"verify", "--list", list}, pcrs...), 0, "PCR 10: sha1 match, sha256 match, sha384 match, sha512 match\n", ""},
		{"hops", append([]string{"verify", "--list", list}, pcrs...), 0, "3 hops", ""},
		{"forms", append([]string{"verify", "--list", list}, pcrs...), 0, "extended [padded-sha1 true true]", ""},
		{"flags behind", append(append([]string{"verify"}, pcrs...), "--list", list), 0, "sha512 match", ""},
		{"nothing to compare", []string{"verify", "--list", list}, 20, "no TPM, 17 records are unproven", "no-tpm"},
		{"asked for nothing", []string{"verify", "--tpm=off", "--list", list}, 0, "no TPM", ""},
		{"other PCR", []string{"verify", "--list", list, "--pcr", "sha1=" + strings.Repeat("11", 20)}, 22, "sha1 no match", "tpm-ahead-of-list"},
		{"shorter PCR", []string{"verify", "--list", list, "--pcr", "sha1=" + strings.Repeat("00", 20)}, 21, "matches after record 0 of 17", "list-ahead-of-tpm"},
		{"one bank", []string{"verify", "--list", list, pcrs[0], pcrs[1], "--pcr", "sha256=" + strings.Repeat("11", 32)}, 24, "banks disagree", "bank-not-replayable"},
		{"tampered", append([]string{"verify", "--list", file("tampered", tampered)}, pcrs...), 23, "tampered at record 17", "tampered"},
		{"cut short", []string{"verify", "--list", cut}, 6, "", cut + ": record 17 at offset"},
		{"no file", []string{"verify", "--list", "/none/x"}, 8, "", "/none/x: no such file"},
		{"start without list", []string{"verify", "--start", "sha1=00"}, 2, "", "and so does --start"},
		{"PCRs of a file", []string{"verify", "--list", list, "--pcr", file("pcrs", []byte("sha256:\n  10: 0x"+strings.TrimPrefix(pcrs[3], "sha256=")+"\n"))}, 0, "PCR 10: sha256 match\n", ""},
		{"start", append([]string{"verify", "--list", file("nothing", nil), "--start", pcrs[1]}, pcrs[:2]...), 0, "PCR 10: sha1 match\n", ""},
		{"text", append([]string{"verify", "--list", text}, pcrs...), 0, "the kernel's text form", ""},
		{"bad PCR", []string{"verify", "--list", list, "--pcr", "sha1=00"}, 7, "", "sha1 has 20 bytes, 1 are given"},

		{"list", []string{"list", "--list", list}, 0, " ima-sig sha256:", ""},
		{"list for machines", []string{"list", "--json", "--list", list}, 0, `"report": "list"`, ""},
		{"list as the kernel writes it", []string{"list", "--format=binary", "--list", list}, 0, string(data), ""},
		{"list of text", []string{"list", "--format=binary", "--list", text}, 0, string(data), "the kernel's text form"},
		{"list of text for machines", []string{"list", "--json", "--list", text}, 0, `"form": "ascii"`, ""},
		{"unknown format", []string{"list", "--format=xml", "--list", list}, 2, "", "one of binary, ascii, json"},
		{"prefix", append([]string{"verify", "--prefix", file("front", data[:offset]), "--list", file("rest", data[offset:])}, pcrs...), 0, "sha512 match", ""},
		{"no prefix", append([]string{"verify", "--list", file("rest", data[offset:])}, pcrs...), 22, "the list is trimmed", "tpm-ahead-of-list"},
		{"whole list as prefix", append([]string{"verify", "--prefix", list, "--list", file("rest", data[offset:])}, pcrs...), 0, "17 records, of which the list also has 14\n", ""},
		{"bad prefix", append([]string{"verify", "--prefix", cut, "--list", list}, pcrs...), 6, "", cut + ": record 17"},
		{"policy of plan", []string{"plan", "--policy", "/p", "/k"}, 2, "", "policy"},

		{"list of a bad file", []string{"list", "--list", cut}, 6, "", "cut short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(tt.args, &stdout, &stderr)
			if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit code %d, want %d\nstdout %q, want %q\nstderr %q, want %q",
					code, tt.code, stdout.String(), tt.stdout, stderr.String(), tt.stderr)
			}
		})
	}
}

func TestListOutput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "list")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"list", "--list", captured + ".bin", "--output", out}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(captured + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the written list is not the one that was read")
	}
}

// TestReportJSON: reports say what they are, and hold what the text says.
func TestReportJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	args := append([]string{"verify", "--json", "--list", captured + ".bin"}, capturedPCRs(t)...)
	if code := run(args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	var got struct {
		Schema  int
		Report  string
		Verdict string
		Records int
		Hops    []struct {
			First int `json:"first_record"`
		}
		Banks []struct{ Algorithm, Verdict string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != schema || got.Report != "verify" || got.Verdict != "match" || got.Records != 17 || len(got.Hops) != 3 || len(got.Banks) != 4 {
		t.Errorf("%+v", got)
	}
}

// TestOutcomeJSON: every refusal is one object for machines as well.
func TestOutcomeJSON(t *testing.T) {
	for _, tt := range []struct {
		report string
		args   []string
		text   string
	}{
		{"load", []string{"load", "--json"}, "one KERNEL is needed"},
		{"load", []string{"load", "/k", "--measure", "--no-note", "--json"}, "--no-note leaves out"},
		{"exec", []string{"exec", "--json", "/k"}, "unexpected argument"},
		{"boot", []string{"--json", "--nonsense"}, "nonsense"},
		{"plan", []string{"plan", "--json"}, "one KERNEL is needed"},
		{"verify", []string{"verify", "--json", "--pcr", "sha1=00"}, "--pcr goes with --list"},
		{"list", []string{"list", "--json", "x"}, "unexpected argument"},
		{"entries", []string{"entries", "--json", "x"}, "unexpected argument"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(tt.args, &stdout, &stderr)
			var got struct {
				Schema, Code          int
				Report, Refusal, Text string
			}
			d := json.NewDecoder(&stdout)
			if err := d.Decode(&got); err != nil || d.More() {
				t.Fatalf("not one object: %v", err)
			}
			if got.Schema != schema || got.Report != tt.report || got.Refusal != "usage" || got.Code != 2 || code != 2 || !strings.Contains(got.Text, tt.text) {
				t.Errorf("exit code %d, %+v", code, got)
			}
			if !strings.Contains(stderr.String(), "imaboot: "+got.Text) {
				t.Errorf("stderr says %q, and the report %q", stderr.String(), got.Text)
			}
		})
	}
}
