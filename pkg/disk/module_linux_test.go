// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package disk

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

func TestParseEvent(t *testing.T) {
	got := parseEvent([]byte("add@/devices/x\x00ACTION=add\x00DEVPATH=/devices/x\x00SUBSYSTEM=virtio\x00MODALIAS=virtio:d00000002v00001AF4\x00SEQNUM=1203\x00"))
	if diff := cmp.Diff(Event{Action: "add", Subsystem: "virtio", Modalias: "virtio:d00000002v00001AF4", Seq: 1203}, got); diff != "" {
		t.Error(diff)
	}
	if got := parseEvent([]byte("libudev\x00\xfe\xed\xca\xfe=SEQNUM")); got != (Event{}) {
		t.Errorf("%+v", got)
	}
}

// TestListen: a wait ends when its context does.
func TestListen(t *testing.T) {
	e, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for {
		// The machine's own devices may come and go meanwhile.
		if _, err = e.Next(ctx); err != nil {
			break
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestAliases(t *testing.T) {
	aliases, err := parseAliases(strings.NewReader("# made by depmod\n" +
		"alias virtio:d00000002v* virtio_blk\n" +
		"alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci\n" +
		"alias of:N*T*Cibm,vscsi-client* ibmvscsi\n" +
		"alias fs-ext4 ext4\nalias broken\nalias of:N*T*C/*x other-module\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := &Modules{aliases: aliases}
	for modalias, want := range map[string][]string{
		"virtio:d00000002v00001AF4":                             {"virtio_blk"},
		"pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00": {"virtio_pci"},
		"of:NvscsiTvscsiCibm,vscsi-client":                      {"ibmvscsi"},
		"of:NaTbC/x":                                            {"other-module"},
		"fs_ext4":                                               {"ext4"},
		"usb:v1d6b":                                             nil,
		"[":                                                     nil,
	} {
		if diff := cmp.Diff(want, m.match(modalias)); diff != "" {
			t.Errorf("%s: %s", modalias, diff)
		}
	}
}

// TestNoModules: without modules.alias, no module is tried.
func TestNoModules(t *testing.T) {
	root := fileroot.New(t, map[string]string{"proc/sys/kernel/osrelease": "6.1\n", "sys/devices/a/modalias": "virtio:d00000002v00001AF4"})
	m, err := NewModules(root, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	m.Filesystem("ext4")
	if n := m.Cold(root); n != 0 {
		t.Errorf("%d modules", n)
	}
}
