// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/u-root/u-root/pkg/cpio"
)

// Where the archive's files are in the receiver's root file system. The kernel
// unpacks them to CarriedDir, which no init mounts over. Hooks copy them to
// RunDir before they change the root.
const (
	CarriedDir = "imaboot"
	RunDir     = "run/imaboot"

	listFile = "measurements"
	noteFile = "handover.json"
	// EventFile is the name of the event log, beside the list and the note.
	EventFile = "eventlog"
)

// Archive returns an initramfs that holds a note, the event log if there is one
// and, unless the kernel carries it, the list. It is an uncompressed newc
// archive; equal content gives equal bytes
// (Documentation/driver-api/early-userspace/buffer-format.rst).
func (l *List) Archive(n *Note, events []byte) ([]byte, error) {
	n.describe(events)
	note, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return nil, err
	}
	const overhead = 1 << 10 // headers and names
	var b bytes.Buffer
	b.Grow(len(l.data) + len(note) + len(events) + overhead)
	w := cpio.Newc.Writer(&b)
	file := func(name string, content []byte) cpio.Record {
		return cpio.Record{
			ReaderAt: bytes.NewReader(content),
			Info:     cpio.Info{Name: name, Mode: cpio.S_IFREG | 0o400, NLink: 1, FileSize: uint64(len(content))},
		}
	}
	records := []cpio.Record{cpio.Directory(CarriedDir, 0o700), file(CarriedDir+"/"+noteFile, append(note, '\n'))}
	if n.Carrier == ByInitramfs {
		records = append(records, file(CarriedDir+"/"+listFile, l.data))
	}
	if len(events) > 0 {
		records = append(records, file(CarriedDir+"/"+EventFile, events))
	}
	for i, r := range records {
		r.Ino = uint64(i + 1) // equal numbers would make hard links
		if err := w.WriteRecord(r); err != nil {
			return nil, fmt.Errorf("archive: %w", err)
		}
	}
	if err := cpio.WriteTrailer(w); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return b.Bytes(), nil
}
