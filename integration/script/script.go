// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package script defines what a test tells a guest to do, and what the guest
// reports. The script is JSON in a file of the initramfs. The reports are marked
// JSON lines on the console, which is the same before and after a kexec.
package script

// Path is where a guest finds its steps.
const Path = "/guest.json"

// Mark begins a line of the console that holds an Event.
const Mark = "IMABOOT-GUEST "

// A Stage is what one kernel's init does before it powers the guest off.
type Stage struct {
	// Name is repeated in every event.
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// A Step is one action: it has one of these fields, and those that go with it.
type Step struct {
	// Run is a command. With Show its output goes to the console at once, and
	// not into an event.
	Run  []string `json:"run,omitempty"`
	Show bool     `json:"show,omitempty"`
	// List reports the measurement list and PCR 10. The list is read from the
	// file From, or from the kernel without one.
	List bool   `json:"list,omitempty"`
	From string `json:"from,omitempty"`
	// Measure makes IMA measure this many new files, which belong to Owner.
	// With Background the next steps run meanwhile, and DelayMS pass between
	// two files.
	Measure    int  `json:"measure,omitempty"`
	Owner      int  `json:"owner,omitempty"`
	Background bool `json:"background,omitempty"`
	DelayMS    int  `json:"delay_ms,omitempty"`
	// On makes the step, a Measure or a Write, wait for another program, and
	// the next steps run meanwhile.
	On *Trigger `json:"on,omitempty"`
	// Stop ends what runs in the background or waits.
	Stop bool `json:"stop,omitempty"`
	// Extend extends PCR 10, or PCR, in the named bank or in "all" banks, behind
	// IMA's back.
	Extend string `json:"extend,omitempty"`
	PCR    int    `json:"pcr,omitempty"`
	// Write writes to a file, or makes it. Change changes its last byte.
	Write   string `json:"write,omitempty"`
	Change  string `json:"change,omitempty"`
	Content string `json:"content,omitempty"`
	// Cut leaves the first Records of a file with a list.
	Cut     string `json:"cut,omitempty"`
	Records int    `json:"records,omitempty"`
	// Copy copies a file To another, Remove removes one or a directory.
	Copy   string `json:"copy,omitempty"`
	To     string `json:"to,omitempty"`
	Remove string `json:"remove,omitempty"`
	// Read reports a file or directory itself, links not followed.
	Read string `json:"read,omitempty"`
	// Swap changes the last byte of a file in the background, as soon as
	// another program has opened it, which is when IMA measures it.
	Swap string `json:"swap,omitempty"`
	// Mount mounts a file system of that type on a new directory, At.
	Mount string `json:"mount,omitempty"`
	At    string `json:"at,omitempty"`
	// KexecFile jumps by kexec_file_load(2) to a kernel that the running one
	// prepares, list included.
	KexecFile *KexecFile `json:"kexec_file,omitempty"`
	// Restore gives lists to kernel after kernel, and reports what each made
	// of its own.
	Restore *Restore `json:"restore,omitempty"`
	// Capture reports the machine as a plan needs it.
	Capture bool `json:"capture,omitempty"`
}

// A Trigger is what a step waits for: one of Open and Say. It follows what
// another program does, so that the order of the two does not depend on how
// busy the machine is.
type Trigger struct {
	// Open is a file that a program opens. The program waits in open(2) until
	// the step is done. The guest's kernel needs
	// CONFIG_FANOTIFY_ACCESS_PERMISSIONS, which Debian's kernels have.
	Open string `json:"open,omitempty"`
	// Loaded ignores programs that open the file while no kernel is loaded.
	Loaded bool `json:"loaded,omitempty"`
	// Times is how often the step is taken; 0 means until Stop.
	Times int `json:"times,omitempty"`

	// Say is a text that a command of the guest prints on stderr. The step is
	// taken once.
	Say string `json:"say,omitempty"`
}

// A KexecFile is what the system call takes.
type KexecFile struct {
	Kernel  string `json:"kernel"`
	Initrd  string `json:"initrd"`
	Cmdline string `json:"cmdline"`
}

// A Restore is the kernel, its command line, and a directory of lists.
type Restore struct {
	Kernel  string `json:"kernel"`
	Cmdline string `json:"cmdline"`
	Dir     string `json:"dir"`
}

// An Event is what a guest reports. Data that is too long for a line comes in
// parts, which the host joins.
type Event struct {
	Stage string `json:"stage"`
	// Event is start, run, list, read, measured, extended, capture, restored,
	// error or end.
	Event string `json:"event"`
	// Part counts the pieces of Data that follow.
	Part int    `json:"part,omitempty"`
	Data []byte `json:"data,omitempty"`

	// Of a start: the kernel, its page size, CPUs, command line, and whether
	// it has a TPM.
	Kernel   string `json:"kernel,omitempty"`
	PageSize int    `json:"page_size,omitempty"`
	CPUs     int    `json:"cpus,omitempty"`
	TPM      bool   `json:"tpm,omitempty"`
	Cmdline  string `json:"cmdline,omitempty"`

	// Of a run. Data is what it printed on stdout.
	Argv    []string `json:"argv,omitempty"`
	Exit    int      `json:"exit,omitempty"`
	Stderr  string   `json:"stderr,omitempty"`
	Seconds float64  `json:"seconds,omitempty"`

	// Of a list: PCR 10 of each bank. Data is the list, packed with gzip.
	PCRs map[string]string `json:"pcrs,omitempty"`

	// Of a read: the mode as ls prints it, and the owner as UID:GID. Data is
	// a regular file's content. A missing file has no mode.
	Path  string `json:"path,omitempty"`
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`

	// Of a restored list: whether all of it is there. Count is its number.
	Whole bool `json:"whole,omitempty"`

	// Of an error, or files measured.
	Text  string `json:"text,omitempty"`
	Count int    `json:"count,omitempty"`
}
