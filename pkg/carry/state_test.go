// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// everyByte is a text that JSON alone would change.
func everyByte() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return "root=/dev/\xff\xfe x=\xe9 \u2028 \ufffd \"" + string(b)
}

// fillTexts puts a text into every string of a value, also in those that are
// added later, and returns how many there are.
func fillTexts(v reflect.Value, text string) (n int) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(text)
			n++
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]string]() {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			n += fillTexts(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				n += fillTexts(v.Field(i), text)
			}
		}
	}
	return n
}

// TestStateExact: every byte of every text comes back.
func TestStateExact(t *testing.T) {
	want := &state{Version: stateVersion}
	if n := fillTexts(reflect.ValueOf(want).Elem(), "/"+everyByte()); n != 8 {
		t.Errorf("%d texts, want 8", n)
	}
	b, err := want.marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseState(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+q, want %+q", got.Target, want.Target)
	}
}

// TestKeepExact: another process, in another directory, boots the same files with
// the same command line.
func TestKeepExact(t *testing.T) {
	m := newMachine(t)
	const odd = "k\xff\xfe \u00e9"
	if err := os.Rename(m.file("kernel"), m.file(odd)); err != nil {
		t.Fatal(err)
	}
	target := m.target()
	target.Kernel, target.Initrds = odd, []string{"./initrd"}
	target.Cmdline = "ima_canonical_fmt root=LABEL=\"a  b\" -- x" // s390x takes ASCII
	t.Chdir(m.root)
	j, err := Open(t.Context(), target, m.options())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What an earlier attempt left has no effect on the file.
	if err := os.WriteFile(m.file(stateFile)+".new", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := j.Keep(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(m.file(stateFile))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, error %v", info.Mode(), err)
	}
	before := m.held.Cmdline
	t.Chdir(t.TempDir())
	j, err = Resume(m.options())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	needRefusalOrJump(t, j.Exec(t.Context()), refusal.Other, "jumped")
	// The name of the list may be another one.
	cut := func(s string) string { return strings.Split(s, " imaboot.list=")[0] }
	if cut(m.jumped.Cmdline) != cut(before) || !strings.Contains(before, "root=LABEL=\"a  b\"") {
		t.Errorf("command line %q, want %q", m.jumped.Cmdline, before)
	}
}

// TestWriteFile: a file is replaced as a whole or not at all.
func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	name := filepath.Join(dir, "file")
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(name, []byte("first")); err != nil {
		t.Fatal(err)
	}
	// A link is replaced, and not followed.
	for _, link := range []string{name, name + ".new"} {
		_ = os.Remove(link)
		if err := os.Symlink(elsewhere, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeFile(name, []byte("second")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != "second" {
		t.Errorf("%q, error %v", got, err)
	}
	if b, err := os.ReadFile(elsewhere); err != nil || string(b) != "mine" {
		t.Errorf("what a link names is %q, error %v", b, err)
	}
	// It fails, and what was there stays.
	if err := os.MkdirAll(name+".new/x", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(name, []byte("third")); err == nil {
		t.Error("no error")
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "second" {
		t.Errorf("%q, error %v", b, err)
	}
}

func FuzzParseState(f *testing.F) {
	whole, err := (&state{Version: stateVersion, Target: Target{Kernel: "/k", Initrds: []string{"/\xff"}, Cmdline: everyByte()}}).marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	for _, s := range []string{"", "{}", "null", `{"version":2}`, `{"version":2,"target":{"kernel":"k"}}`, `{"version":2,"target":{"kernel":"/k"},"options":{"tpm":"off"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseState(b)
		if err != nil {
			return
		}
		again, err := s.marshal()
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseState(again)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%+v, error %v, want %+v", got, err, s)
		}
	})
}
