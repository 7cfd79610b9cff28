// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// ErrPredict means that imaboot cannot predict the record that the kernel
// measures while it jumps.
var ErrPredict = refusal.New(refusal.NotPredictable, "the kernel measures kexec_execute when it jumps, and that record cannot be predicted")

// IMA's records about a kexec (ima_measure_kexec_event of
// security/integrity/ima/ima_kexec.c, Linux 6.16 and later). Their content is
// text.
const (
	eventLoad    = "kexec_load"
	eventExecute = "kexec_execute"
	eventFormat  = "kexec_segment_size=%d;ima_binary_runtime_size=%d;ima_runtime_measurements_count=%d;"
)

// WithExecute returns the list as it will be after the kernel has measured
// kexec_execute. The kernel does that during the reboot, too late for user
// space to read. own is the offset at which the running kernel's own list
// begins; the kernel does not count the records before it.
//
// hash is the kernel's default hash (ima_hash= on its command line). If it is
// "", it is taken from the kernel's records.
//
// All numbers in the record are the kernel's own counts of what its list holds.
// The segment size is that of the last kexec_file_load. If the record cannot be
// predicted, the error wraps ErrPredict.
func (l *List) WithExecute(own int, hash pcr.Algorithm) (*List, error) {
	var size, count, segment uint64
	files := map[pcr.Algorithm]bool{}
	for r := range l.All {
		if r.Offset < own {
			continue
		}
		name := string(r.Name)
		switch {
		case name == imaName:
			return nil, fmt.Errorf("%w: it counts record %d, of the old template ima, differently", ErrPredict, r.Number)
		case templates[name] == "":
			// The kernel adds the length of a custom template's
			// name, although such a template has none
			// (get_binary_runtime_size of ima_queue.c).
			size -= uint64(len(name))
		}
		size += uint64(len(r.Raw))
		count++
		if a, _, ok := r.contentDigest(); ok && !r.BootAggregate() {
			if name == bufName {
				hash = a
			}
			files[a] = true
		}
		if r.isBuffer(eventLoad) {
			text, err := r.content()
			if err == nil {
				segment, err = segmentSize(text)
			}
			if err != nil {
				return nil, fmt.Errorf("%w: record %d: %s", ErrPredict, r.Number, err.Error())
			}
		}
	}
	if count == 0 {
		return nil, fmt.Errorf("%w: the running kernel has no record", ErrPredict)
	}
	// A file with a signature is hashed as its signature says.
	if hash == "" && len(files) == 1 {
		for a := range files {
			hash = a
		}
	}
	if hash.Size() == 0 {
		return nil, fmt.Errorf("%w: the kernel's default hash (ima_hash=) is not known from its records: %q", ErrPredict, hash)
	}
	content := fmt.Appendf(nil, eventFormat, segment, size+HeaderSize, count)
	index := l.ownIndex(own)
	head := make([]byte, HeaderSize, HeaderSize+len(l.data)+512)
	b := append(append(head, l.data...), l.bufferRecord(index, hash, eventExecute, content)...)
	out, err := Parse(b[HeaderSize:])
	if err != nil {
		return nil, err
	}
	out.head = b
	return out, nil
}

// segmentSize returns the first number in the text of a kexec record.
func segmentSize(text string) (uint64, error) {
	key, _, _ := strings.Cut(eventFormat, "%")
	value, _, ok := strings.Cut(text, ";")
	if value, found := strings.CutPrefix(value, key); ok && found {
		return strconv.ParseUint(value, 10, 64)
	}
	return 0, fmt.Errorf("%w: %q", ErrCorrupt, text)
}

// ownIndex returns the register that the kernel extends whose own list begins at
// this offset.
func (l *List) ownIndex(own int) uint32 {
	r := Record{order: l.order}
	if l.next(&r, own) == nil && r.BootAggregate() {
		return r.PCR
	}
	return l.index
}

// bufferRecord returns a record of template ima-buf for a register, as
// process_buffer_measurement of ima_main.c writes it.
func (l *List) bufferRecord(index uint32, a pcr.Algorithm, name string, content []byte) []byte {
	u32 := func(n int) []byte {
		b := make([]byte, 4)
		l.order.PutUint32(b, uint32(n))
		return b
	}
	field := func(b []byte) []byte { return slices.Concat(u32(len(b)), b) }
	sum := make([]byte, a.Size())
	a.Hash()(sum, content)
	data := slices.Concat(
		field(slices.Concat([]byte(a), []byte(":\x00"), sum)),
		field([]byte(name+"\x00")),
		field(content))
	digest := make([]byte, sha1Size)
	pcr.SHA1.Hash()(digest, data)
	return bytes.Join([][]byte{u32(int(index)), digest, field([]byte(bufName)), field(data)}, nil)
}
