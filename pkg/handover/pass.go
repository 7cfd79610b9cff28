// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package handover

// passStep is how many bytes of a mapped list a pass reads before it says so.
const passStep = 2 << 20

// A pass is one reading of a list. It tells the owner of a mapped list which
// bytes are behind it, so that a long list does not stay in memory. Several
// passes run at the same time; what another one still needs is read again.
type pass struct {
	list    *List
	from    int
	telling int // offset at which it says so
}

func (l *List) newPass(offset int) pass {
	p := pass{list: l, from: offset, telling: len(l.data)}
	if l.passed != nil {
		p.telling = offset + passStep
	}
	return p
}

// at is called with the offset of every record.
func (p *pass) at(offset int) {
	if offset >= p.telling {
		p.tell(offset)
	}
}

func (p *pass) tell(offset int) {
	p.list.passed(p.from, offset)
	p.from, p.telling = offset, offset+passStep
}
