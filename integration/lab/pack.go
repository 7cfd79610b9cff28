// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Packers are the ways to compress an initramfs, by name. Each is a program
// that reads from stdin, and writes to stdout a format that kernels unpack
// (lib/decompress_*.c).
var Packers = map[string][]string{
	"gzip":  {"gzip", "-n", "-1"},
	"xz":    {"xz", "--check=crc32", "-0"},
	"lzma":  {"xz", "--format=lzma", "-0"},
	"zstd":  {"zstd", "-q", "-1"},
	"lz4":   {"lz4", "-l", "-1"},
	"bzip2": {"bzip2", "-1"},
	"lzo":   {"lzop", "-1"},
}

// WithMicrocode compresses with gzip, and puts an uncompressed archive in
// front, as in initramfs with microcode.
const WithMicrocode = "microcode"

// pack writes a compressed copy of a file beside it.
func pack(ctx context.Context, path, how string) (string, error) {
	argv, ok := Packers[how]
	front := how == WithMicrocode
	if front {
		argv, ok = Packers["gzip"], true
	}
	if !ok {
		return "", fmt.Errorf("no way to pack an initramfs with %q", how)
	}
	out := path + "." + how
	if front {
		if err := writeArchive(out, nil, map[string]string{"/kernel/x86/microcode/none.bin": "microcode"}); err != nil {
			return "", err
		}
	}
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	f, err := os.OpenFile(out, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout = in, f
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("pack %s with %s: %w", path, how, err)
	}
	return out, f.Close()
}
