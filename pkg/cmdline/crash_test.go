// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package cmdline

import "testing"

func TestCrashKernel(t *testing.T) {
	const mib, gib = 1 << 20, 1 << 30
	const ranges = "crashkernel=2G-4G:384M,4G-16G:512M,16G-:1G"
	for _, tt := range []struct {
		line              string
		total, size, base uint64
	}{
		{"quiet", 4 * gib, 0, 0},
		{"crashkernel=256M", 4 * gib, 256 * mib, 0},
		{"crashkernel=256M@64M", 4 * gib, 256 * mib, 64 * mib},
		{"crashkernel=256M@", 4 * gib, 256 * mib, 0},
		{"crashkernel=0x10000000@0x4000000 quiet", 4 * gib, 256 * mib, 64 * mib},
		{"crashkernel=512M crashkernel=64M", 4 * gib, 64 * mib, 0},
		{"crashkernel=512M crashkernel=64M,cma", 4 * gib, 512 * mib, 0},
		{"crashkernel=512M crashkernel=1G,high crashkernel=72M,low", 4 * gib, 512 * mib, 0},
		{"crashkernel=1G,high", 4 * gib, 0, 0},
		{"crashkernel=512M crashkernel=lots", 4 * gib, 0, 0},
		{"crashkernel=512M crashkernel=", 4 * gib, 0, 0},
		{"crashkernel=512M\tquiet", 4 * gib, 0, 0},
		{"crashkernel=512M@64M\tquiet", 4 * gib, 512 * mib, 64 * mib},
		{"crashkernel=4G", 4 * gib, 0, 0},
		{"crashkernel=0", 4 * gib, 0, 0},
		{"crashkernel", 4 * gib, 0, 0},
		{"crash-kernel=256M crash_kernel=256M", 4 * gib, 0, 0},
		{`"crashkernel=256M@64M"`, 4 * gib, 256 * mib, 64 * mib},
		{`"crashkernel=256M"`, 4 * gib, 0, 0},
		{`crashkernel="256M"`, 4 * gib, 0, 0},
		{`x="crashkernel=256M @64M"`, 4 * gib, 256 * mib, 0},
		{"x.crashkernel=256M@64M", 4 * gib, 256 * mib, 64 * mib},
		{"quiet -- crashkernel=256M", 4 * gib, 256 * mib, 0},
		{"quiet\x00crashkernel=256M", 4 * gib, 0, 0},
		{ranges, 1 * gib, 0, 0},
		{ranges, 2 * gib, 384 * mib, 0},
		{ranges, 4*gib - 129*mib, 384 * mib, 0},
		{ranges, 4*gib - 100*mib, 512 * mib, 0},
		{ranges, 64 * gib, 1 * gib, 0},
		{ranges + "@32M", 2 * gib, 384 * mib, 32 * mib},
		{ranges + "@x", 2 * gib, 0, 0},
		{"crashkernel=2G-:512M,bad", 2 * gib, 512 * mib, 0},
		{"crashkernel=bad,2G-:512M", 2 * gib, 0, 0},
		{"crashkernel=4G-2G:512M,0-:1M", 2 * gib, 0, 0},
		{"crashkernel=1G-2G:2G,0-:1M", 2 * gib, 0, 0},
		{"crashkernel=256M x=1:2", 4 * gib, 256 * mib, 0},
	} {
		if size, base := CrashKernel(tt.line, tt.total); size != tt.size || base != tt.base {
			t.Errorf("%q of %d MiB: %#x at %#x, want %#x at %#x", tt.line, tt.total/mib, size, base, tt.size, tt.base)
		}
	}
}
