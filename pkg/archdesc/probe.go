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

// maxConfig limits an unpacked kernel configuration, in bytes. Real ones have
// about 300 KB.
const maxConfig = 4 << 20

// ReadIKConfig returns the configuration that a kernel built with
// CONFIG_IKCONFIG contains (kernel/configs.c), and whether there is one. The
// image must be uncompressed.
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

// ParseConfig reads a kernel's configuration, such as the file config-* beside a
// kernel. The map has the value of each option that is set.
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

// probeRestore searches an uncompressed image for mark, a text that is compiled
// in exactly when CONFIG_HAVE_IMA_KEXEC is set. CONFIG_IMA_KEXEC is for kernels
// that send, and not needed to restore.
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

// unpackTexts are messages of init/initramfs.c, with and without
// CONFIG_BLK_DEV_RAM. CONFIG_INITRAMFS_FORCE leaves them out together with the
// code.
var unpackTexts = []string{"unpack rootfs image as initramfs", "Unpacking initramfs"}

// probeUnpack decides by the configuration, in the image or beside it. Without
// one it searches the image, if that is plain, which means not compressed
// inside. An image that shows nothing is assumed to unpack, as the kernels of
// all distributions do.
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
