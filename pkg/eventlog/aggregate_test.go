// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// TestExplainAll: in a chain, each kernel was measured before it was booted.
func TestExplainAll(t *testing.T) {
	l := sample(t, pcr.SHA1, pcr.SHA256)
	firmware := func(index int, a pcr.Algorithm) []byte { return a.Sum([]byte{byte(index)}) }
	aggregate := func(a pcr.Algorithm, events int) string {
		var all []byte
		for index := range firmwarePCRs {
			all = append(all, firmware(index, a)...)
		}
		if events >= 0 {
			for _, index := range []int{StringPCR, FilePCR} {
				value, err := l.Replay(index, a, events)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, value...)
			}
		}
		return fmt.Sprintf("%s:%x", a, a.Sum(all))
	}
	hops := []string{
		aggregate(pcr.SHA256, 0),
		aggregate(pcr.SHA256, 2),
		"ima:" + aggregate(pcr.SHA1, -1),
		"",
		aggregate(pcr.SHA256, 3),
		aggregate(pcr.SHA256, 1), // earlier than the one before
	}
	want := []Aggregate{{"0-9", 0}, {"0-9", 2}, {"0-7", 2}, {"", 2}, {"0-9", 3}, {"", 3}}
	reads := map[int]int{}
	got, err := l.ExplainAll(hops, func(index int, a pcr.Algorithm) ([]byte, error) {
		reads[index]++
		return firmware(index, a), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if reads[0] != 2 || reads[8] != 0 {
		t.Errorf("registers read: %v", reads)
	}
	broken := errors.New("broken")
	if _, err := l.ExplainAll(hops, func(int, pcr.Algorithm) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	// A bank that the log or the TPM lacks explains nothing.
	for _, err := range []error{nil, ErrBank} {
		got, err := l.ExplainAll([]string{fmt.Sprintf("sha384:%x", make([]byte, 48))}, func(int, pcr.Algorithm) ([]byte, error) {
			return slices.Repeat([]byte{1}, 48), err
		})
		if diff := cmp.Diff([]Aggregate{{}}, got); diff != "" || err != nil {
			t.Errorf("error %v\n%s", err, diff)
		}
	}
}

// TestExplainNow: the registers may explain a boot_aggregate without a log.
func TestExplainNow(t *testing.T) {
	read := func(index int, a pcr.Algorithm) ([]byte, error) {
		if a == pcr.SHA384 {
			return nil, ErrBank
		}
		return a.Sum([]byte{byte(index)}), nil
	}
	aggregate := func(a pcr.Algorithm, registers int) string {
		var all []byte
		for index := range registers {
			value, _ := read(index, a)
			all = append(all, value...)
		}
		return fmt.Sprintf("%x", a.Sum(all))
	}
	for _, tt := range []struct {
		aggregate, want string
		bank            bool
	}{
		{"sha256:" + aggregate(pcr.SHA256, 8), "0-7", true},
		{"sha256:" + aggregate(pcr.SHA256, 10), "0-9", true},
		{"ima:sha1:" + aggregate(pcr.SHA1, 8), "0-7", true},
		{aggregate(pcr.SHA1, 8), "0-7", true},
		{aggregate(pcr.SHA1, 10), "", true}, // no kernel makes that
		{aggregate(pcr.SHA256, 10), "0-9", true},
		{"sha256:" + aggregate(pcr.SHA256, 9), "", true},
		{"sha384:" + aggregate(pcr.SHA512, 8)[:96], "", false},
		{"sm3:" + aggregate(pcr.SHA256, 8), "", false},
		{"", "", false},
	} {
		got, err := ExplainNow(tt.aggregate, read)
		if got.PCRs != tt.want || (err == nil) != tt.bank {
			t.Errorf("%s: %+v, %v", tt.aggregate, got, err)
		}
	}
}

// TestExplainLong: the time is linear in the length of the log, not quadratic.
func TestExplainLong(t *testing.T) {
	l := New([]pcr.Algorithm{pcr.SHA256})
	e, err := l.CommandLine("")
	if err != nil {
		t.Fatal(err)
	}
	l = l.With(slices.Repeat([]Event{e}, 200000)...)
	hops := slices.Repeat([]string{fmt.Sprintf("sha256:%x", make([]byte, 32))}, 1000)
	got, err := l.ExplainAll(hops, func(int, pcr.Algorithm) ([]byte, error) { return make([]byte, 32), nil })
	if err != nil || len(got) != len(hops) || got[0].PCRs != "" {
		t.Errorf("%d explained, %v", len(got), err)
	}
}
