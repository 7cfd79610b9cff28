// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
)

// maxConfig bounds an unpacked kernel configuration; real ones have 300 KB.
const maxConfig = 4 << 20

// ReadIKConfig returns the configuration that a kernel built with
// CONFIG_IKCONFIG carries between two marks (kernel/configs.c), and whether
// there is one.
func ReadIKConfig(image []byte) (map[string]string, bool) {
	_, rest, ok := bytes.Cut(image, []byte("IKCFG_ST"))
	if !ok {
		return nil, false
	}
	z, err := gzip.NewReader(bytes.NewReader(rest))
	if err != nil {
		return nil, false
	}
	z.Multistream(false)
	config, err := ParseConfig(z)
	return config, err == nil && len(config) > 0
}

// ParseConfig reads a kernel's configuration, as the file config-* beside a
// kernel holds it: option to value, without those that are not set.
func ParseConfig(r io.Reader) (map[string]string, error) {
	config := map[string]string{}
	s := bufio.NewScanner(io.LimitReader(r, maxConfig))
	for s.Scan() {
		if name, value, ok := strings.Cut(s.Text(), "="); ok && strings.HasPrefix(name, "CONFIG_") {
			config[name] = value
		}
	}
	return config, s.Err()
}

// probeRestore decides by the content of an uncompressed image. mark is a
// text that is compiled in exactly when CONFIG_HAVE_IMA_KEXEC is set: the
// sending half, CONFIG_IMA_KEXEC, is not needed to restore.
func probeRestore(image []byte, mark string) Support {
	if bytes.Contains(image, []byte(mark)) {
		return Support{OK: true, Evidence: "the image holds the text " + mark}
	}
	s := Support{Evidence: "the image lacks the text " + mark}
	if config, ok := ReadIKConfig(image); ok {
		for _, option := range []string{"CONFIG_IMA", "CONFIG_KEXEC_FILE"} {
			if config[option] != "y" {
				s.Evidence += ", and its configuration lacks " + option
			}
		}
	}
	return s
}

// unpackTexts are what init/initramfs.c prints, with and without
// CONFIG_BLK_DEV_RAM. They are left out together with the code by
// CONFIG_INITRAMFS_FORCE.
var unpackTexts = []string{"unpack rootfs image as initramfs", "Unpacking initramfs"}

// probeUnpack decides by the configuration, in the image or beside it, or by
// the content of an image that is not compressed inside. What shows nothing is
// taken for a kernel that unpacks: all distributions' do.
func probeUnpack(image []byte, beside map[string]string, plain bool) Support {
	config, where := beside, "beside it"
	if c, ok := ReadIKConfig(image); ok {
		config, where = c, "in it"
	}
	if len(config) > 0 {
		if config["CONFIG_BLK_DEV_INITRD"] != "y" {
			return Support{Evidence: "the configuration " + where + " lacks CONFIG_BLK_DEV_INITRD"}
		}
		if config["CONFIG_INITRAMFS_FORCE"] == "y" {
			return Support{Evidence: "the configuration " + where + " has CONFIG_INITRAMFS_FORCE, which makes it ignore an initrd"}
		}
		return Support{OK: true, Evidence: "the configuration " + where + " has CONFIG_BLK_DEV_INITRD"}
	}
	if !plain {
		return Support{OK: true, Evidence: "nothing in the image or beside it says that it unpacks no initramfs"}
	}
	for _, text := range unpackTexts {
		if bytes.Contains(image, []byte(text)) {
			return Support{OK: true, Evidence: "the image holds the text " + text}
		}
	}
	return Support{Evidence: "the image lacks the text " + unpackTexts[0]}
}
