// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
)

// differentialLists is the number of kernels that the test boots, one after
// another.
const differentialLists = 100

// TestDifferential gives generated and mutated lists to a real kernel. The
// kernel restores completely what imaboot would send, and imaboot refuses what
// the kernel drops, cuts or changes.
func TestDifferential(t *testing.T) {
	t.Parallel()
	const dir, seed = "/lists", 20161
	own := kernel(t, lab.OwnS390X)
	rnd := rand.New(rand.NewPCG(seed, seed))
	files := map[string]string{lab.NextKernel: own}
	lists := make([][]byte, differentialLists+1)
	for i := 1; i <= differentialLists; i++ {
		var count int
		lists[i], count = generated(rnd, i%3 == 0)
		files[fmt.Sprintf("%s/%d-%d", dir, i, count)] = hostFile(t, "list", lists[i])
	}
	r := runGuest(t, lab.Guest{Arch: s390x, CPUs: 1, Timeout: time.Hour, Stages: []lab.Stage{{
		Kernel: own, Files: files,
		Stage: script.Stage{Name: "1", Steps: []script.Step{{Restore: &script.Restore{Kernel: lab.NextKernel, Cmdline: lab.Cmdline(s390x), Dir: dir}}}},
	}}})
	seen, sent, dropped := 0, 0, 0
	for _, e := range stage(t, r, "1").Others {
		if e.Event != "restored" {
			continue
		}
		seen++
		refused := wouldRefuse(lists[e.Count])
		switch {
		case refused == nil && !e.Whole:
			t.Errorf("list %d: imaboot would send what the kernel does not restore: %x", e.Count, lists[e.Count])
		case refused == nil:
			sent++
		case !e.Whole:
			dropped++
		}
	}
	if seen != differentialLists || sent < seen/3 || dropped < seen/10 {
		t.Errorf("%d lists came back of %d, %d would be sent, %d are dropped by the kernel", seen, differentialLists, sent, dropped)
	}
	t.Logf("%d lists: %d would be sent and are restored whole, %d are dropped, cut or changed by the kernel and refused", seen, sent, dropped)
}

// wouldRefuse returns the error with which boot would refuse a list.
func wouldRefuse(data []byte) error {
	l, err := handover.Parse(data)
	if err != nil {
		return err
	}
	if report := handover.Check(l, 10, nil); report.Tampered > 0 {
		return fmt.Errorf("tampered at record %d", report.Tampered)
	}
	if l.Renamed() {
		return fmt.Errorf("the kernel renames a record")
	}
	_, err = l.Buffer()
	return err
}

// generated returns a list that a kernel of this architecture could have, and
// the number of records to claim. With mutated, the list or the number has an
// error.
func generated(rnd *rand.Rand, mutated bool) ([]byte, int) {
	var list []byte
	count := 1 + rnd.IntN(12)
	var starts []int
	for i := range count {
		starts = append(starts, len(list))
		list = append(list, record(rnd, i == 0)...)
	}
	if !mutated {
		return list, count
	}
	at := starts[rnd.IntN(len(starts))]
	switch rnd.IntN(8) {
	case 0: // any byte
		list[rnd.IntN(len(list))] ^= byte(1 + rnd.IntN(255))
	case 1: // a length in the head of a record
		binary.BigEndian.PutUint32(list[at+24:], uint32(rnd.IntN(200)))
	case 2: // the name of the template
		copy(list[at+28:], "xma-")
	case 3: // cut
		list = list[:len(list)-1-rnd.IntN(20)]
	case 4: // zeros as a digest, which make the record a violation
		clear(list[at+4 : at+24])
	case 5:
		count += 1 + rnd.IntN(3)
	case 6:
		list = append(list, record1("ima", nil, false)...)
		count++
	case 7: // too long a name
		list = append(list, record1(strings.Repeat("d-ng|n-ng|", 6)+"sig|buf|iuid|igid", nil, false)...)
		count++
	}
	return list, count
}

// record returns a record that a kernel could make. Templates, lengths and
// violations vary.
func record(rnd *rand.Rand, first bool) []byte {
	name := "boot_aggregate"
	if !first {
		name = "/" + strings.Repeat("x", rnd.IntN(300))
	}
	field := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	sizes := map[string]int{"sha1": 20, "sha256": 32, "sha512": 64}
	algorithms := []string{"sha1", "sha256", "sha512"}
	a := algorithms[rnd.IntN(len(algorithms))]
	violation := !first && rnd.IntN(6) == 0
	digest := make([]byte, sizes[a])
	if !violation {
		for i := range digest {
			digest[i] = byte(rnd.Uint32())
		}
	}
	random := func(n int) []byte {
		b := make([]byte, rnd.IntN(n))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	d := field(append([]byte(a+":\x00"), digest...))
	n := field([]byte(name + "\x00"))
	var template string
	var data []byte
	switch rnd.IntN(6) {
	case 0:
		template, data = "ima-ng", append(d, n...)
	case 1:
		template, data = "ima-sig", append(append(d, n...), field(random(300))...)
	case 2:
		template, data = "ima-buf", append(append(d, n...), field(random(9000))...)
	case 3:
		template, data = "ima-ngv2", append(field(append([]byte("ima:"+a+":\x00"), digest...)), n...)
	case 4:
		template, data = "ima-modsig", append(append(append(d, n...), field(random(100))...), append(field(nil), field(random(500))...)...)
	case 5:
		template, data = "d-ng|n-ng|iuid|imode", append(append(d, n...), append(field(make([]byte, 4)), field(make([]byte, 2))...)...)
	}
	return record1(template, data, violation)
}

// record1 makes a record from a template and its data.
func record1(template string, data []byte, violation bool) []byte {
	var digest [sha1.Size]byte
	if !violation {
		digest = sha1.Sum(data)
	}
	b := binary.BigEndian.AppendUint32(nil, 10)
	b = append(b, digest[:]...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(template))), template...)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
}
