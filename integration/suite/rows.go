// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

// onlyAll is what ./run test leaves to ./run test --all, so that the guests of
// an architecture take 6 minutes at most and no second kernel is built for it.
var onlyAll = []Row{
	{"TestDifferential", "100 kernels, one after another"},
	{"TestQuiet/ppc64le_50_jumps", "50 kernels, one after another"},
	{"TestQuiet/s390x_50_jumps", "50 kernels, one after another"},

	{"TestHops/three_hops", "64 KiB pages"},
	{"TestHops/4_KiB_to_64_KiB_pages", "64 KiB pages"},
	{"TestHops/8_GiB_in_two_nodes", "memory shapes"},
	{"TestHops/memory_that_can_be_added_to", "memory shapes"},
	{"TestHops/hash_page_tables", "memory shapes"},
	{"TestHops/20000_records", "a long list"},
	{"TestPC/512_MiB", "memory shapes"},
	{"TestPC/6_GiB_in_two_nodes", "memory shapes"},
	{"TestPC/by_either", "version matrix"},
	{"TestPC/UEFI_without_its_runtime", "version matrix"},

	{"TestCarriers/s390x_512_MiB,_4_CPUs", "memory shapes"},
	{"TestCarriers/s390x_8_GiB", "memory shapes"},
	{"TestCarriers/s390x_less_memory_for_the_next", "memory shapes"},
	{"TestCarriers/s390x_canonical", "version and format matrix"},
	{"TestCarriers/s390x_20000_records", "a long list"},

	{"TestInitrds/bzip2", "packers"},
	{"TestInitrds/gzip", "packers"},
	{"TestInitrds/lz4", "packers"},
	{"TestInitrds/lzma", "packers"},
	{"TestInitrds/lzo", "packers"},
	{"TestInitrds/xz", "packers"},

	{"TestTemplates", "templates for every architecture"},
	{"TestTemplateBudget", "templates that are packed well"},
	{"TestFirmware", "a system's image"},
	{"TestDebian", "a system's image"},
	{"TestDebianNetwork", "a system's image"},
	{"TestHostileDisks", "a system's image"},
	{"TestDistributions", "initramfs by four makers"},
	{"TestDistributionsKeepNothing", "initramfs by two makers"},
}
