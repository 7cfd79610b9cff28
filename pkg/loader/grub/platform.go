// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package grub

import (
	"path"

	"github.com/imaboot/imaboot/pkg/entry"
)

// platforms are the values of grub_cpu and grub_platform, by GOARCH: those of
// the GRUB that distributions install on that architecture, and not those of
// the firmware that runs here. Scripts use them to set up screens, and for
// systems other than Linux. On other architectures both are empty.
var platforms = map[string]struct{ cpu, platform string }{
	"amd64":   {"x86_64", "efi"},
	"arm64":   {"arm64", "efi"},
	"riscv64": {"riscv64", "efi"},
	"s390x":   {"s390x", "emu"},
	"ppc64le": {"powerpc", "ieee1275"},
}

// locateAll sets the variables of a GRUB that has found its configuration.
func (in *interpreter) locateAll(f entry.File, arch string) {
	for name, text := range map[string]string{
		"root":                f.Volume.Device,
		"prefix":              "(" + f.Volume.Device + ")" + path.Dir(f.Name),
		"grub_cpu":            platforms[arch].cpu,
		"grub_platform":       platforms[arch].platform,
		"menuentry_id_option": "--id",
	} {
		in.locate(name, text)
	}
	for _, feature := range []string{
		"200_final", "all_video_module", "chainloader_bpb", "default_font_path", "menuentry_id", "menuentry_options",
		"nativedisk_cmd", "ntldr", "platform_search_hint", "timeout_style",
	} {
		in.locate("feature_"+feature, "y")
	}
}
