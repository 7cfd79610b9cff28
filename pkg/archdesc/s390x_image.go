// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package archdesc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// Offsets in a flat image of arch/s390/boot (bzImage). They are addresses at the
// same time, because the image is a copy of memory from 0 on
// (boot/vmlinux.lds.S, boot/head.S).
const (
	s390xEntry = 0x10000
	// s390xMagic follows the jump at the entry.
	s390xMagicAt = 0x10008
	s390xMagic   = "S390EP"
	// s390xParm is PARMAREA of asm/setup.h.
	s390xParm = 0x10400
	// s390xTrailer ends the images of all kernels that can be signed, and shows
	// that a file is complete. Only a signature may follow.
	s390xTrailer = "\x00\x00\x00\x20zIPL"
)

// moduleSignature ends a file with an appended signature
// (include/linux/module_signature.h). It follows 12 bytes, of which the last
// four are the signature's length, big-endian.
const moduleSignature = "~Module signature appended~\n"

// s390xImage holds the parts of an image that are loaded into memory.
type s390xImage struct {
	loads []s390xLoad // sorted, none below the entry
	end   Addr        // of the last in memory
	area  []byte      // the parameter area with the command line

	limit    Addr // bytes of the command line, with the NUL
	features uint64
}

type s390xLoad struct {
	Range
	data []byte
}

// parseS390XImage reads a flat image, or an ELF file with the same contents. It
// copies nothing. Errors wrap ErrNotKernel.
func parseS390XImage(image []byte) (*s390xImage, error) {
	k := &s390xImage{}
	var err error
	if bytes.HasPrefix(image, []byte(elf.ELFMAG)) {
		err = k.parseELF(image)
	} else {
		err = k.parseFlat(image)
	}
	if err != nil {
		return nil, err
	}
	head := k.bytes(s390xEntry, s390xParm+s390xParmCmdline-s390xEntry)
	if head == nil {
		return nil, fmt.Errorf("%w: it has no parameter area at %#x", ErrNotKernel, s390xParm)
	}
	if got := head[s390xMagicAt-s390xEntry:][:len(s390xMagic)]; string(got) != s390xMagic {
		return nil, fmt.Errorf("%w: %q at %#x instead of %q: a vmlinux without boot code, or a file of another kind; bzImage is needed", ErrNotKernel, got, s390xMagicAt, s390xMagic)
	}
	area := head[s390xParm-s390xEntry:]
	if k.limit = Addr(binary.BigEndian.Uint64(area[s390xParmCmdlineSize:])); k.limit == 0 {
		k.limit = s390xParmLegacyCmdline
	}
	k.features = binary.BigEndian.Uint64(area[s390xParmFeatures:])
	if k.limit > s390xParmMaxCmdline {
		return nil, fmt.Errorf("%w: parameter area: a command line of %v bytes", ErrNotKernel, k.limit)
	}
	if k.area = k.bytes(s390xParm, s390xParmCmdline+k.limit); k.area == nil {
		return nil, fmt.Errorf("%w: cut short: no room for a command line of %v bytes", ErrNotKernel, k.limit)
	}
	return k, nil
}

func (k *s390xImage) parseFlat(image []byte) error {
	const least = s390xParm + s390xParmCmdline + s390xParmLegacyCmdline
	if len(image) < least {
		return fmt.Errorf("%w: %d bytes, an s390x image has at least %d", ErrNotKernel, len(image), least)
	}
	if string(image[s390xMagicAt:][:len(s390xMagic)]) == s390xMagic {
		if image = s390xUnsigned(image); !bytes.HasSuffix(image, []byte(s390xTrailer)) || len(image)%s390xPage != 0 {
			return fmt.Errorf("%w: cut short: the trailer that ends an s390x image is not at the end of its %d bytes", ErrNotKernel, len(image))
		}
	}
	data := image[s390xEntry:]
	r := rangeOf(s390xEntry, Addr(len(data)))
	k.loads, k.end = []s390xLoad{{r, data}}, r.End
	return nil
}

// s390xUnsigned returns the image without its signature.
func s390xUnsigned(image []byte) []byte {
	const info = 12
	body, ok := bytes.CutSuffix(image, []byte(moduleSignature))
	if !ok || len(body) < info {
		return image
	}
	size := uint64(binary.BigEndian.Uint32(body[len(body)-4:]))
	if body = body[:len(body)-info]; size > uint64(len(body)) {
		return image
	}
	return body[:uint64(len(body))-size]
}

func (k *s390xImage) parseELF(image []byte) error {
	e, err := parseELF(image, elf.EM_S390, binary.BigEndian)
	if err != nil {
		return err
	}
	for _, l := range e.loads {
		r, data := rangeOf(e.start+l.offset, l.size), l.data
		// The IPL code and the lowcore are below the entry. The running
		// kernel still needs that memory for the jump.
		if r.Start < s390xEntry {
			data = data[min(s390xEntry-r.Start, Addr(len(data))):]
			r.Start = s390xEntry
		}
		if r.End > r.Start {
			k.loads, k.end = append(k.loads, s390xLoad{r, data}), r.End
		}
	}
	return nil
}

// bytes returns size bytes of the image from an address on, or nil if it has
// fewer there.
func (k *s390xImage) bytes(at, size Addr) []byte {
	for _, l := range k.loads {
		if at >= l.Start && at-l.Start <= Addr(len(l.data)) && size <= Addr(len(l.data))-(at-l.Start) {
			return l.data[at-l.Start:][:size]
		}
	}
	return nil
}

// segments returns the kernel's segments in whole pages. The pages with the
// parameter area are a changed copy, all others share the image's memory.
func (k *s390xImage) segments(p *s390xParams) ([]Segment, error) {
	parmEnd, _ := alignUp(s390xParm+Addr(len(p.area)), s390xPage)
	var out []Segment
	for _, l := range k.loads {
		end, ok := alignUp(l.End, s390xPage)
		if !ok || l.Start%s390xPage != 0 {
			return nil, fmt.Errorf("%w: segment %v is not in whole pages", ErrNotKernel, l.Range)
		}
		name := kernelPart(len(out))
		data := l.data
		if l.Contains(Range{s390xParm, s390xParm + 1}) {
			n := min(parmEnd-l.Start, Addr(len(data)))
			head := append([]byte(nil), data[:n]...)
			copy(head[s390xParm-l.Start:], p.area)
			out = append(out, Segment{"parameters", Range{l.Start, min(parmEnd, end)}, head})
			l.Start, data = min(parmEnd, end), data[n:]
		}
		if end > l.Start {
			out = append(out, Segment{name, Range{l.Start, end}, data})
		}
	}
	return out, nil
}
