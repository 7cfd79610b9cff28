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
	config := map[string]string{}
	s := bufio.NewScanner(io.LimitReader(z, maxConfig))
	for s.Scan() {
		if name, value, ok := strings.Cut(s.Text(), "="); ok && strings.HasPrefix(name, "CONFIG_") {
			config[name] = value
		}
	}
	return config, s.Err() == nil && len(config) > 0
}

// probeRestore decides by the content of an uncompressed image. mark is a
// text that is compiled in exactly when CONFIG_HAVE_IMA_KEXEC is set: the
// sending half, CONFIG_IMA_KEXEC, is not needed to restore.
func probeRestore(image []byte, mark string) Support {
	if bytes.Contains(image, []byte(mark)) {
		return Support{Restores: true, Evidence: "the image holds the text " + mark}
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
