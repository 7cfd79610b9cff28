// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imaboot/imaboot/pkg/disk"
)

// TestSuperblocks compares what imaboot and util-linux say about a file system,
// for each one that the file systems' own programs make.
func TestSuperblocks(t *testing.T) {
	content := t.TempDir()
	if err := os.WriteFile(filepath.Join(content, "file"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		size int64
		make string // command that makes the image $1 with the directory $2
	}{
		{"ext4", 8 << 20, `mke2fs -q -F -t ext4 -L "a label" "$1"`},
		{"ext2 without a label", 8 << 20, `mke2fs -q -F -t ext2 "$1"`},
		{"xfs", 320 << 20, `mkfs.xfs -q -L label "$1"`},
		{"btrfs", 128 << 20, `mkfs.btrfs -q -L "a label" "$1"`},
		{"f2fs", 64 << 20, `mkfs.f2fs -q -l "a label" "$1"`},
		{"FAT32", 64 << 20, `mkfs.vfat -F 32 -n LABEL "$1" >/dev/null`},
		{"FAT16 without a label", 32 << 20, `mkfs.vfat -F 16 "$1" >/dev/null`},
		{"FAT12", 2 << 20, `mkfs.vfat -F 12 -n LABEL "$1" >/dev/null`},
		{"squashfs", 0, `mksquashfs "$2" "$1" -noappend -quiet -no-progress >/dev/null`},
		{"erofs", 0, `mkfs.erofs "$1" "$2" >/dev/null`},
		{"iso9660", 0, `genisoimage -quiet -V "A LABEL" -o "$1" "$2"`},
		{"swap", 1 << 20, `mkswap "$1" >/dev/null`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			image := filepath.Join(t.TempDir(), "image")
			if err := os.WriteFile(image, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(image, tt.size); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("sh", "-c", tt.make, "sh", image, content).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			f, err := os.Open(image)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := disk.Probe(f)
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("blkid", "-p", "-o", "export", image).Output()
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for line := range strings.Lines(string(out)) {
				key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				want[key] = strings.ReplaceAll(value, `\ `, " ")
			}
			// One driver serves all of them.
			if strings.HasPrefix(want["TYPE"], "ext") {
				want["TYPE"] = "ext4"
			}
			if got.Type != want["TYPE"] || got.Label != want["LABEL"] {
				t.Errorf("%+v, blkid says %s", got, out)
			}
			if got.Type != "swap" && got.UUID != want["UUID"] {
				t.Errorf("UUID %s, blkid says %s", got.UUID, want["UUID"])
			}
		})
	}
}
