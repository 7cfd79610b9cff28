// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// TestCaptured replays a list that a guest measured; the JSON file beside it
// describes the list. Its first kernel lacks SHA-384 and SHA-512 when IMA
// starts.
func TestCaptured(t *testing.T) {
	const name = "testdata/ppc64le-three-kernels"
	data, err := os.ReadFile(name + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		PCR10 map[string]string `json:"pcr10"`
	}
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	var pcrs []pcr.Value
	for _, a := range pcr.Algorithms {
		p, err := pcr.New(string(a), info.PCR10[string(a)])
		if err != nil {
			t.Fatal(err)
		}
		pcrs = append(pcrs, p)
	}
	got := Check(mustParse(t, data), 10, pcrs)
	if got.Verdict != Match || len(got.Hops) != 3 {
		t.Errorf("%s, %d hops", got.Text, len(got.Hops))
	}
	forms := map[pcr.Algorithm][]Form{}
	for _, b := range got.Banks {
		forms[b.Algorithm] = b.Forms
	}
	want := map[pcr.Algorithm][]Form{
		pcr.SHA1:   {FormTrue, FormTrue, FormTrue},
		pcr.SHA256: {FormTrue, FormTrue, FormTrue},
		pcr.SHA384: {FormPadded, FormTrue, FormTrue},
		pcr.SHA512: {FormPadded, FormTrue, FormTrue},
	}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Error(diff)
	}
}
