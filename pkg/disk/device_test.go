// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package disk

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
)

func TestDevices(t *testing.T) {
	const class = "sys/class/block/"
	root := fileroot.New(t, map[string]string{
		class + "sda/size": "100\n", class + "sda/dev": "8:0\n", class + "sda/uevent": "", class + "sda/sda1/partition": "1\n",
		class + "sda10/size": "50\n", class + "sda10/dev": "8:10\n", class + "sda10/uevent": "PARTN=10\nPARTNAME=a name\n",
		class + "sda2/size": "40\n", class + "sda2/dev": "8:2\n", class + "sda2/uevent": "PARTUUID=0a-02\n",
		class + "sda3/size": "40\n", class + "sda3/dev": "8:3\n", class + "sda3/uevent": "", class + "sda3/holders/dm-0": "",
		class + "dm-0/size": "40\n", class + "dm-0/dev": "253:0\n", class + "dm-0/uevent": "",
		class + "sdb/size": "40\n", class + "sdb/dev": "8:16\n", class + "sdb/uevent": "", class + "sdb/device/wwid": "naa.5000c50015ea71aa\n",
		class + "sdc/size": "40\n", class + "sdc/dev": "8:32\n", class + "sdc/uevent": "", class + "sdc/device/wwid": "t10.USB     Stick\n",
		class + "ram0/size": "8192\n", class + "ram0/dev": "1:0\n",
		class + "loop0/size": "0\n", class + "loop0/dev": "7:0\n",
	})
	got, err := Devices(root)
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{Name: "dm-0", Bytes: 40 * 512, Number: "253:0"},
		{Name: "sda2", Bytes: 40 * 512, Number: "8:2", PartUUID: "0a-02"},
		{Name: "sda10", Bytes: 50 * 512, Number: "8:10", PartLabel: "a name"},
		{Name: "sdb", Bytes: 40 * 512, Number: "8:16", Storage: "naa.5000c50015ea71aa"},
		{Name: "sdc", Bytes: 40 * 512, Number: "8:32"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, err := Devices(t.TempDir()); got != nil || err != nil {
		t.Errorf("no sysfs: %v, %v", got, err)
	}
	// A broken device is ignored.
	fileroot.Add(t, root, map[string]string{class + "vda/size": "many\n", class + "sda2/diskseq": "7\n"})
	want[1].Number += " 7"
	if got, err = Devices(root); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNatural(t *testing.T) {
	want := []string{"dasda1", "nvme0n1p2", "nvme0n1p10", "nvme0n2", "sda", "sda1", "sda01", "sda2", "sda10", "sdaa1", "sdb1"}
	got := slices.Clone(want)
	slices.Sort(got)
	slices.SortStableFunc(got, Natural)
	// Devices with equal numbers keep their order.
	i, j := slices.Index(want, "sda1"), slices.Index(want, "sda01")
	if Natural("sda1", "sda01") != 0 {
		t.Error("equal numbers differ")
	}
	want[i], want[j] = "sda01", "sda1"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProbeNothing(t *testing.T) {
	for _, content := range [][]byte{nil, []byte("short"), make([]byte, 1<<20)} {
		if _, err := Probe(bytes.NewReader(content)); !errors.Is(err, ErrNothing) {
			t.Errorf("%d bytes: %v", len(content), err)
		}
	}
	// The magic is there, but the device ends after it.
	if s, err := Probe(strings.NewReader("XFSB")); err == nil {
		t.Errorf("%+v", s)
	}
}

func FuzzProbe(f *testing.F) {
	for _, m := range formats {
		b := make([]byte, m.offset)
		f.Add(append(b, m.magic...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Probe(bytes.NewReader(data))
		if (s == nil) == (err == nil) {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
