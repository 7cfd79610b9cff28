// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A Doubt is what a list's text form leaves open about some of its records.
type Doubt struct {
	Why string `json:"why"`
	// Records is their number, and First the number of the first one.
	Records int `json:"records"`
	First   int `json:"first_record"`
}

// Reasons for a Doubt.
const (
	doubtViolation = "no digest covers a violation's name, so blanks or line ends in it may have been read wrongly"
	doubtHash      = "the digests are of a hash that cannot be computed here, so nothing confirms how the text was read"
)

const (
	// maxTextName bounds the part of a name, in bytes, that looks like records:
	// a path has at most PATH_MAX.
	maxTextName = 4096
	// workPerByte and spareWork bound the bytes that are hashed.
	workPerByte = 128
	spareWork   = 1 << 20
)

// splitHead reads the beginning of a line of ascii_runtime_measurements: the PCR,
// the template digest and the template's name (ima_ascii_measurements_show of
// ima_fs.c). rest is everything behind the name, not only that line.
func splitHead(b []byte) (index, digest, name, rest []byte, ok bool) {
	b = bytes.TrimPrefix(b, []byte{' '})
	index, b = span(b, func(c byte) bool { return '0' <= c && c <= '9' })
	if len(index) < 1 || len(index) > 2 || len(b) == 0 || b[0] != ' ' {
		return nil, nil, nil, nil, false
	}
	digest, b = span(b[1:], func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' })
	if len(digest) < 32 || len(digest) > 2*pcr.MaxSize || len(b) == 0 || b[0] != ' ' {
		return nil, nil, nil, nil, false
	}
	name, rest = span(b[1:], func(c byte) bool { return c != ' ' && c != '\n' })
	return index, digest, name, rest, len(name) > 0
}

// span divides b behind its first bytes that are of a kind.
func span(b []byte, is func(byte) bool) (of, rest []byte) {
	i := 0
	for i < len(b) && is(b[i]) {
		i++
	}
	return b[:i], b[i:]
}

// cutHead matches the beginning of a record at which a text ends.
var cutHead = regexp.MustCompile(`^ ?\d{1,2}( [0-9a-f]{0,128} ?)?$`)

// IsASCII reports whether data looks like a list in its text form.
func IsASCII(data []byte) bool {
	_, _, _, _, ok := splitHead(data)
	return ok
}

// ParseASCII reads a list in the form of ascii_runtime_measurements, with
// digests of any bank, and makes the binary records of it. The text does not
// say how long a field is, where a name with line ends stops, nor in which byte
// order the kernel hashed the lengths. The template digest of each record
// decides that: of all ways to read a record, ParseASCII takes the one that the
// digest confirms. It returns doubts about records for which no digest can do
// so. If a digest confirms no way to read its record, the record's digest and
// data do not fit together, as Check will find. If that is so for all records of
// a list with SHA-1 digests, nothing shows that the text was read rightly, and
// ParseASCII returns an error.
//
// Errors are of type *RecordError, whose offset is one in the text.
func ParseASCII(text []byte) (*List, []Doubt, error) {
	if end := bytes.IndexByte(text, '\n'); end > 0 && text[end-1] == '\r' {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	t := &textReader{text: text, order: binary.LittleEndian}
	err := t.run()
	if t.failed {
		big := &textReader{text: text, order: binary.BigEndian}
		if bigErr := big.run(); big.matched > t.matched {
			t, err = big, bigErr
		}
	}
	if err != nil {
		return nil, nil, &RecordError{Record: t.number, Offset: t.off, Err: err}
	}
	if t.failed && t.matched == 0 && t.size == sha1Size {
		return nil, nil, &RecordError{Record: 1, Err: fmt.Errorf("%w: in no record does the template digest fit the text", ErrCorrupt)}
	}
	l, err := ParseDigestSize(t.out, t.size)
	return l, t.doubts, err
}

// A textReader makes binary records of text.
type textReader struct {
	text  []byte
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	size int // of the digests, in bytes
	// off is where the current record begins in text, and number its
	// number.
	off, number int
	// Behind content there is only white space in text.
	content int
	// left is the number of bytes that may still be hashed.
	left   int
	out    []byte
	doubts []Doubt

	// matched is the number of records that their digest confirms. failed
	// means that a digest confirmed nothing. Then the list will not be
	// accepted, and later records are read in the likeliest way only.
	matched int
	failed  bool
	// guessed has, for each unknown template, how its fields were read.
	guessed map[string][]int
}

// A textHead is the part of a record that every template has.
type textHead struct {
	index  uint32
	digest []byte
	name   string
}

func (t *textReader) run() error {
	t.content = len(bytes.TrimRight(t.text, " \t\r\n"))
	t.left = spareWork + workPerByte*len(t.text)
	t.out = make([]byte, 0, len(t.text)) // which holds more digits than bytes
	for t.off < t.content {
		t.number++
		end, err := t.record()
		if err != nil {
			return err
		}
		t.off = min(end+1, len(t.text))
	}
	return nil
}

// record reads one record, and returns the offset of the line end behind it.
func (t *textReader) record() (int, error) {
	number, digest, name, rest, ok := splitHead(t.text[t.off:])
	if !ok || t.size > 0 && len(digest) != 2*t.size {
		return 0, t.notRecord()
	}
	h := textHead{name: string(name)}
	index, err := strconv.Atoi(string(number))
	if err != nil || index > maxPCR {
		return 0, fmt.Errorf("%w: PCR index %d", ErrCorrupt, index)
	}
	h.index = uint32(index)
	if h.digest, err = hex.DecodeString(string(digest)); err != nil {
		return 0, fmt.Errorf("%w: template digest: %w", ErrCorrupt, err)
	}
	t.size = len(h.digest)
	if !slices.ContainsFunc(pcr.Algorithms, func(a pcr.Algorithm) bool { return a.Size() == t.size }) {
		return 0, fmt.Errorf("%w: template digest of %d bytes", ErrCorrupt, t.size)
	}
	if len(h.name) > maxName {
		return 0, fmt.Errorf("%w: template name of %d bytes", ErrCorrupt, len(h.name))
	}
	return t.fields(&h, len(t.text)-len(rest))
}

// notRecord says what is wrong with a line that does not begin as records do.
func (t *textReader) notRecord() error {
	line := t.text[t.off:t.lineEnd(t.off)]
	if t.off+len(line) == len(t.text) {
		return fmt.Errorf("%w: the text ends within a record", ErrTruncated)
	}
	const most = 60
	return fmt.Errorf("%w: the line is no record: %.*q", ErrCorrupt, most, line)
}

// lineEnd returns the offset of the next line end, or that of the text's end.
func (t *textReader) lineEnd(at int) int {
	if n := bytes.IndexByte(t.text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(t.text)
}

// fields reads the fields of a record, which begin at an offset. It returns the
// offset of the record's end.
func (t *textReader) fields(h *textHead, begin int) (int, error) {
	likely := t.nextEnd(begin)
	violation := allZero(h.digest)
	_, err := formatOf(h.name)
	known := err == nil
	if !violation && !t.failed {
		if end, data := t.confirmed(h, begin, likely); data != nil {
			if t.matched++; !known {
				t.learn(h.name, t.text[begin:end], data)
			}
			t.add(h, data)
			return end, nil
		}
	}
	// Nothing decides: take the likeliest way to read it.
	var data []byte
	plain := true
	for data, plain = range t.readings(h.name, t.text[begin:likely]) {
		break
	}
	switch {
	case data == nil, !known && !violation && !t.failed && !t.confirms(h, data):
		t.failed = true
		return 0, t.unreadable(h.name)
	case violation && (!plain || likely > t.lineEnd(begin) || likely == len(t.text)):
		t.doubt(doubtViolation)
	case violation:
	case t.confirms(h, data):
		t.matched++
	default:
		if err := t.unconfirmed(likely); err != nil {
			return 0, err
		}
	}
	t.add(h, data)
	return likely, nil
}

// unreadable says why a record cannot be made of a line.
func (t *textReader) unreadable(name string) error {
	if _, err := formatOf(name); err != nil {
		return fmt.Errorf("%w: %w: the text form does not tell its data", ErrCorrupt, err)
	}
	return fmt.Errorf("%w: the line does not fit the template %q", ErrCorrupt, name)
}

// unconfirmed notes that no digest confirms a record. It returns an error if the
// text ends within it.
func (t *textReader) unconfirmed(end int) error {
	if t.size != sha1Size && t.matched == 0 {
		t.doubt(doubtHash)
	} else if end == len(t.text) && !t.failed {
		return fmt.Errorf("%w: the text ends within the record, or without a line end behind it", ErrTruncated)
	}
	t.failed = true
	return nil
}

// nextEnd returns the first offset from at where a record can end: behind it is
// a line that looks like a record, or nothing but white space. All other lines
// belong to a name.
func (t *textReader) nextEnd(at int) int {
	for end := t.lineEnd(at); ; end = t.lineEnd(end + 1) {
		if end >= t.content || t.looksLikeRecord(end+1) {
			return end
		}
	}
}

func (t *textReader) looksLikeRecord(at int) bool {
	_, digest, _, _, ok := splitHead(t.text[at:])
	if !ok {
		const longest = len(" 10 ") + 2*pcr.MaxSize + len(" ")
		return len(t.text)-at <= longest && cutHead.Match(t.text[at:])
	}
	return len(digest) == 2*t.size
}

// confirmed tries all ways to read a record, the first possible end of which is
// first, and returns the one that the digest confirms; or nil. A name can hold
// lines that look like records, and end with line ends.
func (t *textReader) confirmed(h *textHead, begin, first int) (int, []byte) {
	end := t.lineEnd(begin) // the next line may be no line of the list at all
	for ; end-first <= maxTextName; end = t.nextEnd(end + 1) {
		for data := range t.readings(h.name, t.text[begin:end]) {
			if t.left -= len(data); t.left < 0 {
				return 0, nil
			}
			if t.confirms(h, data) {
				return end, data
			}
		}
		if end >= len(t.text)-1 {
			break
		}
	}
	return 0, nil
}

// confirms reports whether the digest is that of the data. The digests of other
// banks than SHA-1's may be padded SHA-1 digests.
func (t *textReader) confirms(h *textHead, data []byte) bool {
	r := Record{Name: []byte(h.name), Data: data}
	var buf [pcr.MaxSize]byte
	for _, a := range pcr.Algorithms {
		padded := a == pcr.SHA1 && allZero(h.digest[min(sha1Size, t.size):])
		if a.Size() != t.size && !padded {
			continue
		}
		templateDigest(a.Hash(), buf[:a.Size()], &r)
		if bytes.Equal(buf[:a.Size()], h.digest[:a.Size()]) {
			return true
		}
	}
	return false
}

func (t *textReader) doubt(why string) {
	for i := range t.doubts {
		if t.doubts[i].Why == why {
			t.doubts[i].Records++
			return
		}
	}
	t.doubts = append(t.doubts, Doubt{Why: why, Records: 1, First: t.number})
}

// add appends a binary record. The data of the template "ima" holds its own
// length.
func (t *textReader) add(h *textHead, data []byte) {
	t.out = t.order.AppendUint32(t.out, h.index)
	t.out = append(t.out, h.digest...)
	t.out = t.order.AppendUint32(t.out, uint32(len(h.name)))
	t.out = append(t.out, h.name...)
	if h.name != imaName {
		t.out = t.order.AppendUint32(t.out, uint32(len(data)))
	}
	t.out = append(t.out, data...)
}
