// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package carry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
	"github.com/u-root/u-root/pkg/cpio"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/internal/testing/fileroot"
	"github.com/imaboot/imaboot/pkg/pcr"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// errJumped is what exec returns here: the real one does not return.
var errJumped = errors.New("jumped")

// A machine is a root tree, as a kernel shows it, and the calls to that kernel.
// It plans for s390x, whose captured machine is one file.
type machine struct {
	t     *testing.T
	root  string
	list  []byte
	count int
	// index is the PCR of the kernel, and values has all that were extended.
	index  int
	values map[int]map[pcr.Algorithm][]byte
	// padded: the kernel has no hash but SHA-1 when IMA starts.
	padded bool

	// held is what is loaded, nil for nothing, and loads how often it was.
	held  *archdesc.Plan
	loads int
	// jumped is what was loaded at the jump.
	jumped *archdesc.Plan
	tpm    transport.TPM
	waits  []time.Duration
	// patient: each wait lasts until its context ends.
	patient bool

	// The test changes the world in these.
	onLoad, onWait                  func(n int) error
	onSync                          func()
	unloadErr, execErr, loadedError error

	// others are the other processes, stopErr why they cannot be stopped,
	// and quietJump whether they were at the jump.
	others    others
	stopErr   error
	onStop    func()
	quietJump bool
}

// others count what happens to the other processes.
type others struct {
	stops, continues int
	stopped          bool
	tooLong          bool // they continue by themselves
}

func (o *others) Count() int { return o.stops }
func (o *others) Held() bool { return o.stopped && !o.tooLong }
func (o *others) Continue() {
	o.continues++
	o.stopped = false
}

const (
	imaDir      = "sys/kernel/security/integrity/ima"
	tpmDir      = "sys/class/tpm/tpm0"
	release     = "7.2.12-test"
	runningLine = "ima_canonical_fmt ima_policy=tcb"
	listSize    = 4
)

// newMachine has a list of listSize records that its TPM explains.
func newMachine(t *testing.T) *machine { return newMachineAt(t, 10) }

// newMachineAt has a kernel that extends another PCR.
func newMachineAt(t *testing.T, index int) *machine {
	iomem, err := os.ReadFile("../archdesc/testdata/s390x/kvm-512m/iomem")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, index: index, values: map[int]map[pcr.Algorithm][]byte{}}
	m.root = fileroot.New(t, map[string]string{
		"proc/cmdline":                     runningLine,
		"proc/iomem":                       string(iomem),
		"proc/sys/kernel/osrelease":        release + "\n",
		"proc/kallsyms":                    "",
		"kernel":                           string(s390xImage(1)),
		"old":                              string(s390xImage(0)),
		"initrd":                           "\x1f\x8b packed",
		imaDir + "/policy":                 "",
		"sys/kernel/kexec_loaded":          "0",
		"sys/kernel/security/lockdown":     "[none]",
		"config":                           "CONFIG_BLK_DEV_INITRD=y\n",
		"run/imaboot/.keep":                "",
		imaDir + "/ascii_runtime_measures": "",
	})
	if err := os.Chmod(filepath.Join(m.root, "run/imaboot"), 0o700); err != nil {
		t.Fatal(err)
	}
	var firmware []byte
	for i := range 15 {
		m.values[i] = map[pcr.Algorithm][]byte{pcr.SHA1: make([]byte, pcr.SHA1.Size()), pcr.SHA256: make([]byte, pcr.SHA256.Size())}
		if i < 8 {
			m.extendIn(i, []byte{byte(i)})
		}
		m.show(i)
		if i < 10 {
			firmware = append(firmware, m.values[i][pcr.SHA256]...)
		}
	}
	m.measure("boot_aggregate", firmware)
	for i := 1; i < listSize; i++ {
		m.measure(fmt.Sprintf("/bin/%d", i), []byte{byte(i)})
	}
	return m
}

// s390xImage is the smallest flat image that is taken for a kernel. features
// is the field that says whether it restores a list.
func s390xImage(features uint64) []byte {
	b := make([]byte, 0x40000)
	copy(b[0x10008:], "S390EP")
	binary.BigEndian.PutUint64(b[0x10400+0x30:], 4096) // size of the command line
	binary.BigEndian.PutUint64(b[0x10400+0x38:], features)
	copy(b[len(b)-8:], "\x00\x00\x00\x20zIPL")
	return b
}

func (m *machine) file(name string) string { return filepath.Join(m.root, name) }

func (m *machine) write(name string, b []byte) {
	m.t.Helper()
	if err := os.WriteFile(m.file(name), b, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// measure appends a record and extends it, as IMA does.
func (m *machine) measure(name string, content []byte) { m.extend(m.record(name, content)) }

// measureIn is measure under a rule with pcr=.
func (m *machine) measureIn(index int, name string, content []byte) {
	m.extendIn(index, m.recordIn(index, name, content))
}

// record appends a record of ima-ng that is not extended yet, and returns its
// data.
func (m *machine) record(name string, content []byte) []byte {
	return m.recordIn(m.index, name, content)
}

func (m *machine) recordIn(index int, name string, content []byte) []byte {
	field := func(b []byte) []byte { return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...) }
	sum := sha256.Sum256(content)
	data := append(field(append([]byte("sha256:\x00"), sum[:]...)), field([]byte(name+"\x00"))...)
	m.list = binary.LittleEndian.AppendUint32(m.list, uint32(index))
	m.list = append(m.list, pcr.SHA1.Sum(data)...)
	m.list = append(m.list, field([]byte("ima-ng"))...)
	m.list = append(m.list, field(data)...)
	m.count++
	m.write(imaDir+"/binary_runtime_measurements", m.list)
	m.write(imaDir+"/runtime_measurements_count", fmt.Appendf(nil, "%d\n", m.count))
	return data
}

// extend extends the kernel's PCR by the digest of data in each bank.
func (m *machine) extend(data []byte) { m.extendIn(m.index, data) }

func (m *machine) extendIn(index int, data []byte) {
	for a, value := range m.values[index] {
		digest := a.Sum(data)
		if m.padded {
			digest = append(pcr.SHA1.Sum(data), make([]byte, a.Size()-pcr.SHA1.Size())...)
		}
		m.values[index][a] = a.Sum(append(bytes.Clone(value), digest...))
	}
	m.show(index)
}

// show writes a PCR to sysfs.
func (m *machine) show(index int) {
	for a, value := range m.values[index] {
		fileroot.Add(m.t, m.root, map[string]string{fmt.Sprintf("%s/pcr-%s/%d", tpmDir, a, index): fmt.Sprintf("%X\n", value)})
	}
}

func (m *machine) loseTPM() error { return os.RemoveAll(m.file(tpmDir)) }

// target is a kernel with an initrd.
func (m *machine) target() Target {
	return Target{Kernel: m.file("kernel"), Initrds: []string{m.file("initrd")}, Config: m.file("config"), Cmdline: "ima_canonical_fmt quiet"}
}

func (m *machine) options() Options {
	arch, err := archdesc.ByName("s390x")
	if err != nil {
		m.t.Fatal(err)
	}
	return Options{Root: m.root, arch: arch, calls: m, Log: m.t.Logf}
}

func (m *machine) open(o Options) *Job {
	m.t.Helper()
	j, err := Open(m.t.Context(), m.target(), o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = j.Close() })
	return j
}

// keep lets an earlier process load and keep the target.
func (m *machine) keep() {
	m.t.Helper()
	j := m.open(m.options())
	if _, err := j.Load(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	if err := errors.Join(j.Keep(), j.Close()); err != nil {
		m.t.Fatal(err)
	}
}

// These are the calls to the kernel.

func (m *machine) load(p *archdesc.Plan) error {
	m.loads++
	if m.onLoad != nil {
		if err := m.onLoad(m.loads); err != nil {
			return err
		}
	}
	held := *p
	held.Segments = slices.Clone(p.Segments)
	for i := range held.Segments {
		held.Segments[i].Data = bytes.Clone(p.Segments[i].Data) // the kernel copies it
	}
	m.held = &held
	m.write("sys/kernel/kexec_loaded", []byte("1"))
	return nil
}

func (m *machine) unload() error {
	if m.unloadErr == nil {
		m.held = nil
		m.write("sys/kernel/kexec_loaded", []byte("0"))
	}
	return m.unloadErr
}

func (m *machine) loaded() (bool, error) { return m.held != nil, m.loadedError }

func (m *machine) exec() error {
	m.jumped, m.quietJump = m.held, m.others.Held()
	if m.execErr != nil {
		return m.execErr
	}
	return errJumped
}

func (m *machine) sync() {
	if m.onSync != nil {
		m.onSync()
	}
}

func (m *machine) stop(context.Context) (stopped, error) {
	if m.onStop != nil {
		m.onStop()
	}
	if m.stopErr != nil {
		return nil, m.stopErr
	}
	m.others.stops++
	m.others.stopped = true
	return &m.others, nil
}

// busy measures beside imaboot, unless it is stopped.
func (m *machine) busy(name string) {
	if !m.others.stopped {
		m.measure(name, []byte{byte(m.count)})
	}
}

func (m *machine) wait(ctx context.Context, d time.Duration) error {
	m.waits = append(m.waits, d)
	if m.onWait != nil {
		if err := m.onWait(len(m.waits)); err != nil {
			return err
		}
	}
	if m.patient {
		<-ctx.Done()
	}
	return ctx.Err()
}

type openTPM struct{ transport.TPM }

func (openTPM) Close() error { return nil }

func (m *machine) openTPM() (transport.TPMCloser, error) {
	if m.tpm == nil {
		return running{m.root}.openTPM()
	}
	return openTPM{m.tpm}, nil
}

// carried returns the list in a plan, nil without one.
func carried(p *archdesc.Plan) []byte {
	const header = 24 // struct ima_kexec_hdr
	if p == nil {
		return nil
	}
	s, ok := p.Segment(archdesc.SegmentList)
	if !ok {
		return nil
	}
	return s.Data[header:]
}

// needRefusal checks an error's one name, and a part of its text.
func needRefusal(t *testing.T, err error, name refusal.Name, text string) {
	t.Helper()
	if name == "" {
		if err != nil {
			t.Errorf("error %v", err)
		}
		return
	}
	r, ok := err.(*Refusal) //nolint:errorlint // not one inside
	if !ok || r.Verdict != name {
		t.Fatalf("error %v, want the refusal %s", err, name)
	}
	if got := refusal.Names(err); len(got) != 1 {
		t.Errorf("%v has the names %v", err, got)
	}
	if !strings.HasPrefix(err.Error(), string(name)+": ") || !strings.Contains(err.Error(), text) {
		t.Errorf("error %q, want %s: and %q", err, name, text)
	}
}

// legacy appends a record of the old template ima, which kernels do not
// restore, and extends it.
func (m *machine) legacy() {
	const name = "/sbin/old"
	digest := pcr.SHA1.Sum([]byte(name))
	padded := make([]byte, 20+256) // the digest, and the name in IMA_EVENT_NAME_LEN_MAX+1
	copy(padded, digest)
	copy(padded[20:], name)
	m.list = binary.LittleEndian.AppendUint32(m.list, 10)
	m.list = append(m.list, pcr.SHA1.Sum(padded)...)
	m.list = append(binary.LittleEndian.AppendUint32(m.list, 3), "ima"...)
	m.list = append(m.list, digest...)
	m.list = append(binary.LittleEndian.AppendUint32(m.list, uint32(len(name))), name...)
	m.count++
	m.write(imaDir+"/binary_runtime_measurements", m.list)
	m.write(imaDir+"/runtime_measurements_count", fmt.Appendf(nil, "%d\n", m.count))
	m.extend(padded)
}

// unpack writes the files of a newc archive, as the kernel does.
func unpack(t *testing.T, root string, archive []byte) {
	t.Helper()
	records, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		name := filepath.Join(root, r.Name)
		switch r.Mode & cpio.S_IFMT {
		case cpio.S_IFDIR:
			err = os.Mkdir(name, 0o700)
		case cpio.S_IFREG:
			var b []byte
			if b, err = io.ReadAll(io.NewSectionReader(r.ReaderAt, 0, int64(r.FileSize))); err == nil {
				err = os.WriteFile(name, b, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
