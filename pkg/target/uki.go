// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package target

import (
	"bytes"
	"debug/pe"
	"fmt"
	"slices"
	"strings"
)

// A UKI has the parts of a unified kernel image that a boot without its EFI stub
// needs (UAPI group specification 5). Add-ons, credentials and device trees are
// the stub's own matter, and so are its measurements.
type UKI struct {
	// Kernel is in the image's memory.
	Kernel []byte
	// Initrd has the microcode in front, as the stub puts it.
	Initrd []byte
	// Cmdline is "" if the image has none.
	Cmdline string
}

// ParseUKI returns the parts of a unified kernel image, and nil for any other
// file. Of several profiles it takes the first, as the stub does by default.
func ParseUKI(image []byte) (*UKI, error) {
	if !bytes.HasPrefix(image, []byte("MZ")) {
		return nil, nil
	}
	f, err := pe.NewFile(bytes.NewReader(image))
	if err != nil || f.Section(".linux") == nil {
		return nil, nil //nolint:nilerr // whoever boots the image says what is wrong
	}
	parts := map[string][]byte{}
	for _, s := range chosen(f.Sections) {
		// Only the smaller of the two sizes is content.
		size := uint64(min(s.VirtualSize, s.Size))
		if uint64(s.Offset)+size > uint64(len(image)) {
			return nil, fmt.Errorf("unified kernel image: cut short: section %s at %#x has %#x bytes, the file only %#x", s.Name, s.Offset, size, len(image))
		}
		parts[s.Name] = image[s.Offset:][:size]
	}
	u := &UKI{Kernel: parts[".linux"], Initrd: parts[".initrd"]}
	u.Cmdline = strings.TrimSpace(strings.TrimRight(string(parts[".cmdline"]), "\x00"))
	if ucode := parts[".ucode"]; len(ucode) > 0 {
		u.Initrd = JoinInitrds(ucode, u.Initrd)
	}
	return u, nil
}

// chosen returns the sections of the base and those of the first profile, which
// come later and replace sections of the same name.
func chosen(all []*pe.Section) []*pe.Section {
	profile := func(s *pe.Section) bool { return s.Name == ".profile" }
	first := slices.IndexFunc(all, profile)
	if first < 0 {
		return all
	}
	if n := slices.IndexFunc(all[first+1:], profile); n >= 0 {
		return all[:first+1+n]
	}
	return all
}

// JoinInitrds puts archives one behind the other. The unpacker skips zeros, and
// wants archives aligned (init/initramfs.c). A single one is returned as it is.
func JoinInitrds(archives ...[]byte) []byte {
	const align = 4
	var out []byte
	for _, b := range archives {
		switch {
		case len(out) == 0:
			out = b
		case len(b) > 0:
			out = slices.Concat(out, make([]byte, -len(out)&(align-1)), b)
		}
	}
	return out
}
