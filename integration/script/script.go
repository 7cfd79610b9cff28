// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package script defines what a test tells a guest to do, and what the guest
// reports. The script is JSON in a file of the initramfs. The reports are marked
// JSON lines on the console, which is the same before and after a kexec.
package script

// Path is the file in which a guest finds its script.
const Path = "/guest.json"

// Mark begins each console line that holds an Event.
const Mark = "IMABOOT-GUEST "

// A Stage is what the init of one kernel does before it powers the guest off.
type Stage struct {
	// Name is repeated in every event.
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
}

// A Step is one action. It has one of these fields, and the fields that belong
// to it.
type Step struct {
	// Run is a command. With Show, its output goes to the console at once
	// instead of into an event.
	Run  []string `json:"run,omitempty"`
	Show bool     `json:"show,omitempty"`
	// List reports the measurement list and PCR 10. The list is read from
	// the file From, or from the kernel if From is empty.
	List bool   `json:"list,omitempty"`
	From string `json:"from,omitempty"`
	// Measure makes IMA measure this many new files, which belong to Owner.
	// With Background, the next steps run meanwhile, and DelayMS
	// milliseconds pass between two files.
	Measure    int  `json:"measure,omitempty"`
	Owner      int  `json:"owner,omitempty"`
	Background bool `json:"background,omitempty"`
	DelayMS    int  `json:"delay_ms,omitempty"`
	// On makes a Measure or a Write wait for another program. The next
	// steps run meanwhile.
	On *Trigger `json:"on,omitempty"`
	// Stop ends all steps that run in the background or wait.
	Stop bool `json:"stop,omitempty"`
	// Extend extends PCR 10, or the register PCR, in the named bank or in
	// "all" banks, without IMA's knowledge.
	Extend string `json:"extend,omitempty"`
	PCR    int    `json:"pcr,omitempty"`
	// Write writes to a file, and creates it if necessary. Change changes a
	// file's last byte.
	Write   string `json:"write,omitempty"`
	Change  string `json:"change,omitempty"`
	Content string `json:"content,omitempty"`
	// Cut shortens a file with a list to its first Records records.
	Cut     string `json:"cut,omitempty"`
	Records int    `json:"records,omitempty"`
	// Copy copies a file to the file To. Remove removes a file or a
	// directory.
	Copy   string `json:"copy,omitempty"`
	To     string `json:"to,omitempty"`
	Remove string `json:"remove,omitempty"`
	// Read reports a file or directory itself: it does not follow links.
	Read string `json:"read,omitempty"`
	// Swap runs in the background. It changes the last byte of a file as
	// soon as another program has opened the file, which is when IMA
	// measures it.
	Swap string `json:"swap,omitempty"`
	// Mount mounts a file system of that type on a new directory, At.
	Mount string `json:"mount,omitempty"`
	At    string `json:"at,omitempty"`
	// KexecFile jumps by kexec_file_load(2). The running kernel prepares
	// the next one and passes the list on.
	KexecFile *KexecFile `json:"kexec_file,omitempty"`
	// Restore passes lists to one kernel after another, and reports what
	// each made of its list.
	Restore *Restore `json:"restore,omitempty"`
	// Jumps boots the same kernel again and again while another process
	// measures.
	Jumps *Jumps `json:"jumps,omitempty"`
	// Capture reports the machine in the form that a plan needs.
	Capture bool `json:"capture,omitempty"`
}

// A Trigger is what a step waits for: either Open or Say. A step that follows
// another program happens at the same point no matter how busy the machine is.
type Trigger struct {
	// Open is a file that a program opens. The program waits in open(2)
	// until the step is done. The guest's kernel needs
	// CONFIG_FANOTIFY_ACCESS_PERMISSIONS, which Debian's kernels have.
	Open string `json:"open,omitempty"`
	// Loaded ignores programs that open the file while no kernel is loaded.
	Loaded bool `json:"loaded,omitempty"`
	// Times is how often the step is done; 0 means until Stop.
	Times int `json:"times,omitempty"`

	// Say is a text that a command of the guest prints on stderr. The step
	// is done once.
	Say string `json:"say,omitempty"`
}

// A KexecFile holds the arguments of the system call.
type KexecFile struct {
	Kernel  string `json:"kernel"`
	Initrd  string `json:"initrd"`
	Cmdline string `json:"cmdline"`
}

// A Restore names the kernel, its command line, and a directory of lists.
type Restore struct {
	Kernel  string `json:"kernel"`
	Cmdline string `json:"cmdline"`
	Dir     string `json:"dir"`
}

// Jumps names the kernel, its command line, the flags of imaboot verify, and the
// number of jumps. Beside imaboot a process measures files as fast as it can, or
// with DelayMS milliseconds between two of them. Files of the nth kernel, from 0,
// are called MeasuredDir/n/0, MeasuredDir/n/1, and so on.
type Jumps struct {
	Kernel  string   `json:"kernel"`
	Cmdline string   `json:"cmdline"`
	Verify  []string `json:"verify,omitempty"`
	Count   int      `json:"count"`
	DelayMS int      `json:"delay_ms,omitempty"`
}

// MeasuredDir is where Jumps has files measured.
const MeasuredDir = "/measured"

// An Event is a report of a guest. Data that is too long for one line comes in
// parts, which the host joins.
type Event struct {
	Stage string `json:"stage"`
	// Event is start, run, list, read, measured, extended, capture, restored,
	// jumped, error or end.
	Event string `json:"event"`
	// Part is the number of this part of Data, from 1; 0 if Data is whole.
	Part int    `json:"part,omitempty"`
	Data []byte `json:"data,omitempty"`

	// Fields of a start: the kernel, its page size, CPUs, command line, and
	// whether it has a TPM.
	Kernel   string `json:"kernel,omitempty"`
	PageSize int    `json:"page_size,omitempty"`
	CPUs     int    `json:"cpus,omitempty"`
	TPM      bool   `json:"tpm,omitempty"`
	Cmdline  string `json:"cmdline,omitempty"`

	// Fields of a run. Data is what the command printed on stdout.
	Argv    []string `json:"argv,omitempty"`
	Exit    int      `json:"exit,omitempty"`
	Stderr  string   `json:"stderr,omitempty"`
	Seconds float64  `json:"seconds,omitempty"`

	// Fields of a list: PCR 10 of each bank. Data is the list, compressed
	// with gzip.
	PCRs map[string]string `json:"pcrs,omitempty"`

	// Fields of a read: the mode as ls prints it, and the owner as UID:GID.
	// Data is the content of a regular file. A missing file has no mode.
	Path  string `json:"path,omitempty"`
	Mode  string `json:"mode,omitempty"`
	Owner string `json:"owner,omitempty"`

	// Fields of a restored list: its number is Count, and Whole means that
	// it is complete.
	Whole bool `json:"whole,omitempty"`

	// Text is an error, and Count a number of files that were measured, or of
	// jumps that were made.
	Text  string `json:"text,omitempty"`
	Count int    `json:"count,omitempty"`
}
