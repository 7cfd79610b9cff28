// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package policy

import (
	"slices"

	"github.com/imaboot/imaboot/pkg/cmdline"
	"github.com/imaboot/imaboot/pkg/pcr"
)

// hashes are the names that ima_hash= knows (hash_algo_name of
// lib/crypto/hash_info.c).
var hashes = []string{
	"md4", "md5", "sha1", "rmd160", "sha256", "sha384", "sha512", "sha224", "rmd128", "rmd256", "rmd320",
	"wp256", "wp384", "wp512", "tgr128", "tgr160", "tgr192", "sm3", "streebog256", "streebog512",
	"sha3-256", "sha3-384", "sha3-512",
}

// DefaultHash returns the hash that a kernel with this command line uses in its
// records, and "" if the line does not choose one. The first known name counts
// (hash_setup of ima_main.c). A kernel that was built without that hash takes
// the one of its configuration.
func DefaultHash(line string) pcr.Algorithm {
	for name := range cmdline.Setup(line, "ima_hash=") {
		if slices.Contains(hashes, name) {
			return pcr.Algorithm(name)
		}
	}
	return ""
}
