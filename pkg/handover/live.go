// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/imaboot/imaboot/pkg/refusal"
)

// Reasons why the running kernel's list cannot be read.
var (
	ErrNoSecurityfs = refusal.New(refusal.NoSecurityfs, "securityfs is not mounted, or the kernel lacks CONFIG_SECURITYFS")
	ErrNoIMA        = refusal.New(refusal.NoIMA, "the kernel has no IMA (CONFIG_IMA)")
	ErrNotAllowed   = refusal.New(refusal.NotPrivileged, "not allowed to read the measurement list")
	// ErrBusy means that another process holds the list open for writing.
	ErrBusy = refusal.New(refusal.KeepsGrowing, "another process holds the measurement list open for writing")
	// ErrCount means that a list which does not grow has more or fewer
	// records than the kernel counts. Without a TPM, nothing else shows
	// that.
	ErrCount = refusal.New(refusal.DamagedList, "the kernel's count of records does not match its list")
)

// IMA's files, relative to the root (security/integrity/ima/ima_fs.c). The
// staged files exist only with CONFIG_IMA_STAGING, names with an algorithm only
// since Linux 6.10.
const (
	securityDir = "sys/kernel/security"
	imaDir      = securityDir + "/integrity/ima"
	countFile   = "runtime_measurements_count"
)

var (
	stagedFiles  = []string{"binary_runtime_measurements_sha1_staged", "binary_runtime_measurements_staged"}
	currentFiles = []string{"binary_runtime_measurements_sha1", "binary_runtime_measurements"}
)

const (
	// busyTries and busyWait bound how long a writer is waited for.
	busyTries = 50
	busyWait  = 20 * time.Millisecond

	// perRecord is a generous mean size in bytes: 140 were seen, and 400
	// with signatures. maxGuess bounds how much memory is allocated because
	// a file asks for it; untouched memory costs nothing.
	perRecord = 192
	maxGuess  = 1 << 28

	// chunk is larger than any page. The kernel returns one page for each
	// read, and walks the list from its head each time.
	chunk = 128 << 10
)

// A Snapshot is the whole list at one moment: the parts in front, and the
// running kernel's own list.
type Snapshot struct {
	*List
	// Count is what LiveCount returned before the list was read. If a later
	// call returns something else, the list has changed.
	Count int
}

// snapshotTries bounds how often the list is read again because it changed
// during a read. The caller compares the count again at the very end.
const snapshotTries = 3

// ReadLive reads the running kernel's list from the file systems under root
// (normally "/"). It reads the staged part and then the current part, each
// sequentially, and compares the count before and after. The lists in front
// come first: a list that was carried as a file, or one that was deleted from
// the kernel and kept.
func ReadLive(ctx context.Context, root string, front ...*List) (*Snapshot, error) {
	before, err := LiveCount(root)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		l, own, err := readLive(ctx, root, before, front)
		if err != nil {
			return nil, err
		}
		after, err := LiveCount(root)
		if err != nil {
			return nil, err
		}
		switch {
		case after == before && own == before, after != before && try == snapshotTries:
			return &Snapshot{List: l, Count: before}, nil
		case try == snapshotTries:
			return nil, fmt.Errorf("%w: %d are counted, %d were read", ErrCount, before, own)
		case after == before:
			// The kernel appends a record before it counts it.
			if err := pause(ctx, busyWait); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrCount, err)
			}
		}
		before = after
	}
}

// readLive reads the list once. It also returns how many of its records are in
// the kernel's current list.
func readLive(ctx context.Context, root string, count int, front []*List) (_ *List, records int, err error) {
	guess := min(uint64(count), maxGuess/perRecord)*perRecord + chunk
	own := HeaderSize
	for _, l := range front {
		own += len(l.data)
		records -= l.records
	}
	b := make([]byte, HeaderSize, uint64(own)+guess)
	for _, l := range front {
		b = append(b, l.data...)
	}
	current := own // start of the part that the kernel counts
	for _, part := range []struct {
		names    []string
		optional bool
	}{{stagedFiles, true}, {currentFiles, false}} {
		if b, err = readPart(ctx, root, b, part.names); err != nil {
			if part.optional && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return nil, 0, explain(root, err)
		}
		if part.optional {
			current = len(b)
		}
	}
	if order := detectOrder(b[own:], sha1Size); len(b) > own {
		if err := sameOrder(order, front); err != nil {
			return nil, 0, err
		}
	}
	l, err := Parse(b[HeaderSize:])
	if err != nil {
		return nil, 0, fmt.Errorf("running kernel's list: %w", err)
	}
	l.head = b
	records += l.records
	for off, r := own-HeaderSize, (Record{order: l.order}); off < current-HeaderSize; off = r.Offset + len(r.Raw) {
		if err := l.next(&r, off); err != nil {
			return nil, 0, err // cannot happen after Parse
		}
		records--
	}
	return l, records, nil
}

// readPart appends the content of the first file that exists.
func readPart(ctx context.Context, root string, b []byte, names []string) ([]byte, error) {
	var f *os.File
	err := error(fs.ErrNotExist)
	for _, name := range names {
		if f, err = openBusy(ctx, filepath.Join(root, imaDir, name)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return b, err
	}
	defer f.Close()
	for {
		if cap(b)-len(b) < chunk {
			// Grow by a quarter instead of doubling: lists can be
			// large.
			grown := make([]byte, len(b), cap(b)+cap(b)/4+chunk)
			copy(grown, b)
			b = grown
		}
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// openBusy opens a file. It waits for a writer, which excludes readers since
// Linux 7.2.
func openBusy(ctx context.Context, name string) (*os.File, error) {
	for range busyTries {
		f, err := os.Open(name)
		if !errors.Is(err, syscall.EBUSY) {
			return f, err
		}
		if err := pause(ctx, busyWait); err != nil {
			return nil, fmt.Errorf("%s is busy: %w", name, err)
		}
	}
	return nil, fmt.Errorf("%w: %s was busy for %v", ErrBusy, name, busyTries*busyWait)
}

// pause waits until d has passed or the context has ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LiveCount returns the number of records in the running kernel's current list.
// It includes those of earlier kernels, but no staged or deleted ones.
func LiveCount(root string) (int, error) {
	name := filepath.Join(root, imaDir, countFile)
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, explain(root, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: %q is not a count", name, b)
	}
	return n, nil
}

// explain adds which piece of the system is missing.
func explain(root string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: run as root: %w", ErrNotAllowed, err)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if entries, dirErr := os.ReadDir(filepath.Join(root, securityDir)); dirErr != nil || len(entries) == 0 {
		return fmt.Errorf("%w: %w", ErrNoSecurityfs, err)
	}
	return fmt.Errorf("%w: %w", ErrNoIMA, err)
}

// sameOrder returns an error if the parts differ in byte order. Digests cover
// the lengths, so no part can be converted.
func sameOrder(order binary.ByteOrder, front []*List) error {
	for _, l := range front {
		if l.records > 0 && l.order != order {
			return fmt.Errorf("%w: a part in front is %s, the rest is %s: boot with ima_canonical_fmt in all stages or in none", ErrByteOrder, orderName(l.order), orderName(order))
		}
	}
	return nil
}

// Join returns one list that holds the records of front and then those of l.
func Join(front, l *List) (*List, error) {
	if front.digest != l.digest {
		return nil, fmt.Errorf("%w: digests of %d and of %d bytes cannot be in one list", ErrCorrupt, front.digest, l.digest)
	}
	if l.records > 0 {
		if err := sameOrder(l.order, []*List{front}); err != nil {
			return nil, err
		}
	}
	return ParseDigestSize(slices.Concat(front.data, l.data), l.digest)
}
