// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"bytes"
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A walker extends a register along one trail.
type walker struct {
	*trail
	course course
	reg    [pcr.MaxSize]byte
	dead   bool // none of its registers are kept
}

// A sweeper extends along many trails in one pass over the list. It reads each
// record, and hashes it in each form, only once.
type sweeper struct {
	*search
	waiting []*trail
	walkers []*walker
	both    [2 * pcr.MaxSize]byte
	values  [3][pcr.MaxSize]byte // of a record, one for each form
	// found is the trail that led to the PCR, and matched the record after
	// which it did.
	found   *walker
	matched int
}

// sweep extends along trails, which are in the order of their segments, until
// one leads to the PCR. If kernels may have extended nothing, a trail that
// leads there at the very end is preferred to one that does so earlier. The
// earlier one is remembered.
func (s *search) sweep(trails []*trail) (replayed, bool) {
	if len(trails) == 0 {
		return replayed{}, false
	}
	w := &sweeper{search: s, waiting: trails}
	for at := trails[0].at; at < len(s.segments); at++ {
		w.keep(at)
		w.enter(at)
		w.extend(at)
	}
	if s.silent {
		for _, k := range w.walkers {
			if bytes.Equal(k.reg[:s.size], s.want) {
				return w.result(k, s.list.last[s.index]), true
			}
		}
	}
	if w.found == nil {
		return replayed{}, false
	}
	got := w.result(w.found, w.matched)
	if s.silent && s.early == nil {
		s.early = &got
	}
	return got, !s.silent
}

// result returns the replay along a trail that led to the PCR.
func (w *sweeper) result(k *walker, matched int) replayed {
	got := replayed{matched: matched, value: bytes.Clone(k.reg[:w.size]), forms: w.formsOf(k.trail)}
	for p := k.trail; p != nil; p = p.parent {
		if p.reset {
			got.reset = p.at + 1
		}
	}
	return got
}

// done reports whether only the trail that was found is still followed.
func (w *sweeper) done() bool { return w.found != nil && !w.silent }

// keep saves the registers at a point, for trails that branch off there.
func (w *sweeper) keep(at int) {
	i, ok := slices.BinarySearch(w.points, at)
	if !ok || w.done() {
		return
	}
	for _, k := range w.walkers {
		if k.kept == nil && !k.dead {
			need := (len(w.points) - i) * w.size
			if k.dead = w.room < need; !k.dead {
				w.room -= need
				k.kept = make([]byte, 0, need)
			}
		}
		if !k.dead {
			k.kept = append(k.kept, k.reg[:w.size]...)
		}
	}
}

// keptAt returns the register that a trail saved at a point.
func (s *search) keptAt(p *trail, at int) []byte {
	// Its first value is the one at the first point after its start.
	first, _ := slices.BinarySearch(s.points, p.at+1)
	i, _ := slices.BinarySearch(s.points, at)
	return p.kept[(i-first)*s.size:][:s.size]
}

// enter moves all walkers into a segment, and adds the trails that begin there.
func (w *sweeper) enter(at int) {
	for _, k := range w.walkers {
		k.course.enter(&w.segments[at], nil)
	}
	for len(w.waiting) > 0 && w.waiting[0].at == at {
		p := w.waiting[0]
		w.waiting = w.waiting[1:]
		if w.done() {
			continue
		}
		k := &walker{trail: p}
		if p.parent != nil {
			k.course = w.before(p.parent, at)
			copy(k.reg[:], w.keptAt(p.parent, at))
		} else if w.byClass {
			k.course.seen = make([]uint8, len(w.segments))
		}
		if p.parent == nil && !p.reset {
			copy(k.reg[:], w.start)
		}
		k.course.enter(&w.segments[at], p)
		w.walkers = append(w.walkers, k)
	}
}

// extend extends along all trails with the records of a segment.
func (w *sweeper) extend(at int) {
	var used [3]bool
	var walkers []*walker
	for _, k := range w.walkers {
		if !k.course.quiet {
			walkers = append(walkers, k)
			used[k.course.form] = true
		}
	}
	if len(walkers) == 0 || w.segments[at].extends == 0 {
		return
	}
	n := w.size
	reg, value, both := w.both[:n], w.both[n:2*n], w.both[:2*n]
	h := w.list.hops[at]
	w.list.from(h.First, h.Offset, func(r *Record) bool {
		if r.Number >= w.segments[at].end {
			return false
		}
		if r.PCR != w.index {
			return true
		}
		for form, is := range used {
			if is {
				w.value(w.values[form][:n], w.forms[form], r)
			}
		}
		for i, k := range walkers {
			copy(reg, k.reg[:n])
			copy(value, w.values[k.course.form][:n])
			w.hash(k.reg[:n], both)
			if w.found == nil && bytes.Equal(k.reg[:n], w.want) {
				w.found, w.matched = k, r.Number
				if w.done() {
					w.walkers, walkers = []*walker{k}, walkers[i:i+1]
					break
				}
			}
		}
		return true
	})
}
