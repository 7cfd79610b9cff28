// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

import (
	"slices"

	"github.com/imaboot/imaboot/pkg/pcr"
)

// A search finds out in which form each kernel of a chain extended one bank.
// Nobody wrote the forms down, so they have to be guessed. A chain has
// exponentially many combinations, so the likely ones come first: all kernels
// alike, then one change of form along the chain, then two, and so on. Among
// combinations with equally many changes, those with late changes come first.
// They cost least, because the register before the change is already known.
//
// The work is bounded by a multiple of the number of records. Within that
// bound, a chain of a dozen short hops is searched completely.
type search struct {
	*run
	segments []segment
	forms    []Form
	silent   bool // some kernel may extend nothing
	size     int  // size of a value, in bytes

	// left bounds the number of extends, and room the memory for values
	// that are kept, in bytes.
	left, room int
	partial    bool
	// early is a replay that led to the PCR before the end of the list.
	early *replayed

	// points are the segments where a trail may change its form.
	points []int
	// byClass is set if a kernel that occurs again keeps its form.
	byClass bool
}

// A segment is a hop from the view of a search.
type segment struct {
	end                 int // number of the record after it
	extends, violations int // of the register
	after               int // extends from here to the end of the list
	class               int
	sure, noTPM         bool // see hopsForSure and Hop.NoTPM
	quiet               bool // it is known that nothing was extended
	// anchor is the last segment, this one included, that certainly begins
	// with a kernel.
	anchor int
}

const (
	// spareExtends and extendsPerRecord bound the extends of one try.
	// minRoom and partOfList bound its memory.
	spareExtends     = 1 << 18
	extendsPerRecord = 4
	minRoom          = 1 << 19
	partOfList       = 32

	// trailCost is the cost of a trail besides its extends, counted in
	// extends.
	trailCost = 24

	// maxPoints bounds the places where a form may change.
	maxPoints = 1024
)

// A trail is one way in which a chain may have been extended: that of its
// parent up to a segment, and its own from there on.
type trail struct {
	parent *trail
	at     int // number of the segment where it begins
	form   uint8
	skip   uint8
	quiet  bool // nothing is extended at its start
	reset  bool // the register is zero at its start
	// kept holds the register at each point after at, one after the other.
	kept []byte
}

// How a kernel behaves whose boot_aggregate says that it found no TPM. What
// follows its record can be another kernel, or a file called boot_aggregate.
const (
	skipNone uint8 = iota // it extends all the same
	skipHop               // it extends nothing until another hop may begin
	skipOn                // it extends nothing until another hop certainly begins
)

func newSearch(x *run) *search {
	l := x.list
	s := &search{run: x, size: x.bank.Size(), forms: []Form{FormTrue}}
	s.left = spareExtends + extendsPerRecord*l.count[x.index]
	s.room = max(minRoom, len(l.data)/partOfList)
	s.segments = make([]segment, len(l.hops))
	violations := 0
	sure := l.hopsForSure()
	anchor := 0
	for i, h := range l.hops {
		if sure[i] {
			anchor = i
		}
		s.segments[i] = segment{end: h.First + h.Records, sure: sure[i], noTPM: h.NoTPM, anchor: anchor}
		s.segments[i].quiet = x.quiet != nil && x.quiet[i]
		s.silent = s.silent || h.NoTPM && x.quiet == nil
	}
	at := 0
	l.from(1, 0, func(r *Record) bool {
		for r.Number >= s.segments[at].end {
			at++
		}
		if r.PCR == x.index && !s.segments[at].quiet {
			s.segments[at].extends++
			if r.Violation() {
				s.segments[at].violations++
				violations++
			}
		}
		return true
	})
	after := 0
	for i := len(s.segments) - 1; i >= 0; i-- {
		after += s.segments[i].extends
		s.segments[i].after = after
	}
	if x.bank != pcr.SHA1 {
		s.forms = append(s.forms, FormPadded)
		if violations > 0 {
			s.forms = append(s.forms, FormOld)
		}
	}
	return s
}

// find tries all ways, in order of their likelihood.
func (s *search) find() replayed {
	sure, all, bounded := s.choosePoints()
	type try struct {
		points  []int
		byClass bool
	}
	tries := []try{{sure, false}}
	if s.classify() {
		tries = append(tries, try{sure, true})
	}
	if len(all) > len(sure) {
		tries = append(tries, try{all, false})
	}
	budget, room := s.left, s.room
	whole := false
	for _, t := range tries {
		s.points, s.byClass, s.partial = t.points, t.byClass, false
		s.left, s.room = budget, room
		if got, ok := s.rounds(); ok {
			return got
		}
		if whole = !s.partial && !bounded && len(t.points) == len(all); whole {
			break
		}
	}
	if s.early == nil && !allZero(s.want) {
		s.points, s.byClass, s.left = nil, false, budget/2
		if got, ok := s.resets(); ok {
			return got
		}
	}
	if s.early != nil {
		return *s.early
	}
	got := s.first
	got.partial = got.matched < 0 && !whole
	return got
}

// choosePoints returns the segments that certainly begin with a kernel, and all
// that may. bounded says whether the bound has left some of them out.
func (s *search) choosePoints() (sure, all []int, bounded bool) {
	for i, g := range s.segments {
		// An empty one decides whether what follows is extended, if that may
		// still be the same kernel.
		decides := g.noTPM && i+1 < len(s.segments) && !s.segments[i+1].sure
		if i == 0 || g.extends == 0 && !decides {
			continue
		}
		if all = append(all, i); g.sure {
			sure = append(sure, i)
		}
	}
	last := func(points []int) []int { return points[max(0, len(points)-maxPoints):] }
	return last(sure), last(all), len(all) > maxPoints
}

// classify groups the hops by the kernel that they seem to belong to: by its
// release or, if that is unknown, by its first record. It reports whether a
// kernel occurs again after another one.
func (s *search) classify() (again bool) {
	classes := map[string]int{}
	for i, h := range s.list.hops {
		key := "release " + h.Kernel
		if h.Kernel == "" {
			s.list.from(h.First, h.Offset, func(r *Record) bool {
				key = string(r.Digest)
				return r.Number == h.First && h.Records > 1
			})
		}
		class, ok := classes[key]
		if !ok {
			class = len(classes)
			classes[key] = class
		}
		s.segments[i].class = class
		again = again || ok && s.segments[i-1].class != class
	}
	return again
}

// rounds tries trails without a change, then adds one change in each round.
func (s *search) rounds() (replayed, bool) {
	trails := s.uniform()
	for len(trails) > 0 {
		if got, ok := s.sweep(trails); ok {
			return got, true
		}
		trails = s.branch(trails)
	}
	return replayed{}, false
}

// uniform returns the trails in which all kernels behave alike.
func (s *search) uniform() []*trail {
	var out []*trail
	skips := []uint8{skipNone}
	if s.silent {
		skips = append(skips, skipHop, skipOn)
	}
	for form := range s.forms {
		for _, skip := range skips {
			out = append(out, &trail{form: uint8(form), skip: skip, quiet: skip != skipNone && s.segments[0].noTPM})
		}
	}
	return out
}

// resets tries registers that were reset to zero before one of the kernels. The
// last kernel comes first.
func (s *search) resets() (replayed, bool) {
	var trails []*trail
	for at := len(s.segments) - 1; at > 0; at-- {
		first := s.uniform()
		if s.left -= s.segments[at].after * len(first); s.left < 0 {
			break
		}
		for _, p := range first {
			p.at, p.reset, p.quiet = at, true, p.skip != skipNone && s.segments[at].noTPM
			trails = append(trails, p)
		}
	}
	slices.Reverse(trails)
	return s.sweep(trails)
}

// branch returns the trails with one more change, as many as the bound allows,
// in the order of their segments.
func (s *search) branch(parents []*trail) []*trail {
	var out []*trail
	defer func() { slices.Reverse(out) }()
	for _, at := range slices.Backward(s.points) {
		begun := len(out)
		for _, p := range parents {
			if p.at >= at {
				continue
			}
			if p.kept == nil {
				s.partial = true
				continue
			}
			for _, c := range s.changes(p, at) {
				if s.left -= s.segments[at].after + trailCost; s.left < 0 {
					s.partial = true
					return out
				}
				out = append(out, c)
			}
		}
		if len(out) > begun {
			// Every record has to be read and hashed.
			s.left -= 2 * s.segments[at].extends
		}
	}
	return out
}

// changes returns the trails that begin with a change at a segment. It omits
// changes that would only take effect together with a later one.
func (s *search) changes(p *trail, at int) []*trail {
	var out []*trail
	g := &s.segments[at]
	before := s.before(p, at)
	old := before
	old.seen = slices.Clone(before.seen)
	old.enter(g, nil)
	for i := range s.forms {
		for _, skip := range []uint8{skipNone, skipHop, skipOn} {
			c := &trail{parent: p, at: at, form: uint8(i), skip: skip}
			c.quiet = before.quietIn(g, skip)
			if c.quiet == old.quiet {
				padded := s.forms[c.form] != FormTrue && s.forms[old.form] != FormTrue && g.violations == 0
				if skip != old.skip || c.form == old.form || c.quiet || padded || g.extends == 0 {
					continue
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// A course is the state of a trail while it is followed.
type course struct {
	form, skip uint8
	quiet      bool
	// seen holds, for each class of kernels, its form plus one; 0 if it did
	// not occur yet.
	seen []uint8
}

// quietIn reports whether nothing is extended in the next segment.
func (c *course) quietIn(g *segment, skip uint8) bool {
	switch {
	case g.quiet:
		return true
	case g.noTPM:
		return skip != skipNone
	case g.sure || skip != skipOn:
		return false
	}
	return c.quiet
}

// enter moves into a segment, where change may take effect.
func (c *course) enter(g *segment, change *trail) {
	if change != nil {
		c.form, c.skip = change.form, change.skip
	} else if c.seen != nil && c.seen[g.class] > 0 {
		c.form = c.seen[g.class] - 1
	}
	if c.seen != nil {
		c.seen[g.class] = c.form + 1
	}
	c.quiet = c.quietIn(g, c.skip)
}

// before returns the course of a trail just before a segment after its start.
func (s *search) before(p *trail, at int) course {
	if s.byClass {
		s.left -= at / 4 // about what it costs
		return *s.follow(p, at-1, func(int, *course) {})
	}
	c := course{form: p.form, skip: p.skip, quiet: p.quiet}
	last := at - 1
	if p.skip == skipOn {
		last = s.segments[last].anchor // after it nothing changes
	}
	if last > p.at {
		c.enter(&s.segments[last], nil)
	}
	return c
}

// follow follows a trail up to and including a segment, and calls visit for
// each one.
func (s *search) follow(p *trail, to int, visit func(int, *course)) *course {
	var changes []*trail
	for ; p != nil; p = p.parent {
		changes = append(changes, p)
	}
	c := &course{}
	if s.byClass {
		c.seen = make([]uint8, len(s.segments))
	}
	for i := changes[len(changes)-1].at; i <= to; i++ {
		var change *trail
		if n := len(changes); n > 0 && changes[n-1].at == i {
			change, changes = changes[n-1], changes[:n-1]
		}
		c.enter(&s.segments[i], change)
		visit(i, c)
	}
	return c
}

// formsOf returns the form of each hop on a trail. If both padded forms are the
// same for a hop, it returns the newer.
func (s *search) formsOf(p *trail) []Form {
	forms := make([]Form, len(s.segments))
	for i := range forms {
		forms[i] = FormTrue // before a reset, where nothing is known
	}
	s.follow(p, len(s.segments)-1, func(i int, c *course) {
		switch forms[i] = s.forms[c.form]; {
		case c.quiet, s.segments[i].quiet:
			forms[i] = FormNone
		case forms[i] == FormOld && s.segments[i].violations == 0:
			forms[i] = FormPadded
		}
	})
	return forms
}
