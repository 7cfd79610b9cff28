// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/integration/script"
)

func line(t *testing.T, e script.Event) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return script.Mark + string(b) + "\r\n"
}

func TestParse(t *testing.T) {
	console := "SLOF\r\n" +
		line(t, script.Event{Stage: "1", Event: "start", CPUs: 2}) +
		"[    1.0] kernel says" + line(t, script.Event{Stage: "1", Event: "data", Part: 1, Data: []byte("ab")}) +
		line(t, script.Event{Stage: "1", Event: "data", Part: 2, Data: []byte("cd")}) +
		line(t, script.Event{Stage: "1", Event: "run", Argv: []string{"x"}, Data: []byte("e")}) +
		"Starting new kernel\r\n" +
		line(t, script.Event{Stage: "2", Event: "start"}) +
		line(t, script.Event{Stage: "2", Event: "end"})
	r, err := parse([]byte(console))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Stages) != 2 || r.Stages[0].Ended || !r.Stages[1].Ended {
		t.Fatalf("stages %+v", r.Stages)
	}
	if diff := cmp.Diff("abcde", string(r.Stages[0].Runs[0].Data)); diff != "" {
		t.Error(diff)
	}
	if want := "SLOF\n[    1.0] kernel says"; !strings.HasPrefix(r.Console, want) {
		t.Errorf("console %q, want %q", r.Console, want)
	}
}

func TestParseBad(t *testing.T) {
	part := line(t, script.Event{Stage: "1", Event: "data", Part: 2, Data: []byte("ab")})
	for _, tt := range []struct{ name, console, want string }{
		{"nothing", "SLOF\n", "nothing was reported"},
		{"cut line", script.Mark + `{"stage":`, "unexpected end"},
		{"lost data", part, "data before part 2 are lost"},
		{"guest's error", line(t, script.Event{Stage: "1", Event: "error", Text: "no such step"}), "stage 1: no such step"},
		{"bad list", line(t, script.Event{Stage: "1", Event: "list", Data: []byte("x")}), "stage 1: list"},
	} {
		if _, err := parse([]byte(tt.console)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}
