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

// Why the running kernel's list cannot be read.
var (
	ErrNoSecurityfs = refusal.New(refusal.NoSecurityfs, "securityfs is not mounted, or the kernel lacks CONFIG_SECURITYFS")
	ErrNoIMA        = refusal.New(refusal.NoIMA, "the kernel has no IMA (CONFIG_IMA)")
	ErrNotAllowed   = refusal.New(refusal.NotPrivileged, "not allowed to read the measurement list")
	// ErrBusy means that somebody stages records all the time.
	ErrBusy = refusal.New(refusal.KeepsGrowing, "measurement list is held by a writer")
	// ErrCount means that a list which does not grow has another number of
	// records than the kernel says. Nothing else shows that without a TPM.
	ErrCount = refusal.New(refusal.DamagedList, "the kernel counts another number of records than its list has")
)

// Files of IMA, under the root (security/integrity/ima/ima_fs.c). The staged
// part exists with CONFIG_IMA_STAGING only, the names with an algorithm since
// Linux 6.10.
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
	// busyTries and busyWait bound the wait for a writer.
	busyTries = 50
	busyWait  = 20 * time.Millisecond

	// perRecord is a generous mean size: seen are 140 bytes, with
	// signatures 400. maxGuess bounds what is asked for by a number in a
	// file; memory that is not written to costs nothing.
	perRecord = 192
	maxGuess  = 1 << 28

	// chunk is larger than any page: the kernel gives one page a read and
	// walks the list from its head each time.
	chunk = 128 << 10
)

// A Snapshot is the whole list at one moment: what was carried as a file, if
// anything was, and what the running kernel has.
type Snapshot struct {
	*List
	// Count is what LiveCount returned before the list was read. A later
	// call that returns something else means that the list has changed.
	Count int
}

// snapshotTries bounds how often a list that changes while it is read is read
// again. Who carries it compares the count once more, at the very end.
const snapshotTries = 3

// ReadLive reads the list of the running kernel, from the file systems under
// root ("/"): the staged part first, then the current one, each in one
// sequential read, and the count before and after. The parts in front come
// first: what was carried as a file, or deleted from the kernel and kept.
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
			// A record is appended before it is counted.
			if err := pause(ctx, busyWait); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrCount, err)
			}
		}
		before = after
	}
}

// readLive reads the list once. It returns how many of its records the kernel
// has in its current list, too.
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
	current := own // where the part begins that is counted
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
			return nil, 0, err // not after Parse
		}
		records--
	}
	return l, records, nil
}

// readPart appends the first of the files that exists.
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
			// A fourth more, and not double: lists can be large.
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

// openBusy waits for a writer, which excludes readers since Linux 7.2.
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

// pause waits, unless the caller ends that.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LiveCount is how many records the running kernel has in its current list:
// those of earlier kernels are counted, staged and deleted ones are not.
func LiveCount(root string) (int, error) {
	name := filepath.Join(root, imaDir, countFile)
	b, err := os.ReadFile(name)
	if err != nil {
		return 0, explain(root, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: %q is no count", name, b)
	}
	return n, nil
}

// explain says which piece is missing.
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

// sameOrder: digests cover lengths, so that no part can be turned around.
func sameOrder(order binary.ByteOrder, front []*List) error {
	for _, l := range front {
		if l.records > 0 && l.order != order {
			return fmt.Errorf("%w: a part in front is %s, what follows %s: boot with ima_canonical_fmt in all stages or in none", ErrByteOrder, orderName(l.order), orderName(order))
		}
	}
	return nil
}

// Join is a list with another in front of it, as if one kernel had both.
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
