// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package kexec makes the system calls that load a plan into the kernel and
// jump to it.
//
// It does not use u-root's pkg/boot/kexec, which aligns and copies segments by
// the page size of the running process and cannot unload. A plan is exact
// already: it must be loaded as it is, and without a second copy of its bytes.
package kexec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/imaboot/imaboot/pkg/archdesc"
	"github.com/imaboot/imaboot/pkg/refusal"
)

// A Segment is one segment of kexec_load(2). Data goes to physical address
// Addr; the rest of Size bytes is zero. Addr and Size are in bytes, and
// multiples of the page size.
type Segment struct {
	Data       []byte
	Addr, Size uint64
}

// rawSegment is struct kexec_segment of include/uapi/linux/kexec.h.
type rawSegment struct {
	buf     unsafe.Pointer
	bufSize uintptr
	mem     uintptr
	memSize uintptr
}

// Load loads segments for a jump to the physical address entry, and replaces
// what was loaded before. After an error, the old segments are still loaded.
// flags name the architecture (KEXEC_ARCH_*).
//
// Its error is a *LoadError.
func Load(entry uint64, segments []Segment, flags uint64) error {
	raw := make([]rawSegment, len(segments))
	for i, s := range segments {
		if len(s.Data) > 0 {
			raw[i].buf = unsafe.Pointer(&s.Data[0])
		}
		raw[i].bufSize = uintptr(len(s.Data))
		raw[i].mem, raw[i].memSize = uintptr(s.Addr), uintptr(s.Size)
	}
	_, _, errno := unix.Syscall6(unix.SYS_KEXEC_LOAD, uintptr(entry), uintptr(len(raw)),
		uintptr(unsafe.Pointer(unsafe.SliceData(raw))), uintptr(flags), 0, 0)
	runtime.KeepAlive(raw)
	if errno != 0 {
		return &LoadError{Errno: errno, Hint: hint("/", errno)}
	}
	return nil
}

// LoadPlan loads the segments of a plan, as Load does.
func LoadPlan(p *archdesc.Plan) error {
	segments := make([]Segment, 0, len(p.Segments))
	for _, s := range p.Segments {
		segments = append(segments, Segment{Data: s.Data, Addr: uint64(s.Start), Size: uint64(s.Size())})
	}
	return Load(uint64(p.Entry), segments, p.Flags)
}

// Unload drops what is loaded, if anything is. Its error is a *LoadError.
func Unload() error { return Load(0, nil, 0) }

// Loaded reports whether an image is loaded that Exec would jump to.
func Loaded() (bool, error) {
	// The file moved in Linux 6.17 (kernel/ksysfs.c, kernel/kexec_core.c).
	for _, name := range []string{"/sys/kernel/kexec/loaded", "/sys/kernel/kexec_loaded"} {
		b, err := os.ReadFile(name)
		if err == nil {
			return strings.TrimSpace(string(b)) == "1", nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, errors.New("the running kernel has no kexec (CONFIG_KEXEC)")
}

// Exec jumps to what is loaded. It does not sync or unmount: everything that
// IMA may measure has to be finished before. It returns only if it fails.
//
// It does not use u-root's kexec.Reboot, which may talk to a watchdog daemon
// and write to the standard logger first. By then, nothing may be opened any
// more.
func Exec() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_KEXEC) }

// A LoadError says that the kernel refused to load segments, and gives a hint.
type LoadError struct {
	Errno unix.Errno
	Hint  string
}

// Error implements error.
func (e *LoadError) Error() string {
	return fmt.Sprintf("kexec_load: %v (%s)", e.Errno, e.Hint)
}

// RefusalName implements the interface of package refusal.
func (e *LoadError) RefusalName() refusal.Name { return refusal.LoadRefused }

// Unwrap returns the errno.
func (e *LoadError) Unwrap() error { return e.Errno }

// hints explain errors that have one cause (kernel/kexec.c,
// kernel/kexec_core.c, security/integrity/ima/ima_main.c).
var hints = map[unix.Errno]string{
	unix.EACCES: "IMA or secure boot asks for a signed kernel, which only kexec_file_load can check: boot without secure boot, or use kexec -s, which carries the list if the kernel has CONFIG_IMA_KEXEC",
	unix.EBUSY:  "another kexec_load is under way: try again",
	unix.ENOMEM: "no memory for a copy of the segments: free memory or use a smaller initrd",
	unix.ENOSYS: "the running kernel is built without CONFIG_KEXEC: start the target from the firmware, or use another kernel as this stage",

	unix.EADDRNOTAVAIL: "a segment is not aligned to the kernel's page size or beyond its limit: show it with imaboot plan",
	unix.EINVAL:        "segments overlap or need more than half of the memory: show them with imaboot plan",
	unix.ETXTBSY:       "a segment lies in the running kernel or in the firmware's tables: show it with imaboot plan",
}

// hint says why the kernel refused. For EPERM and EACCES it looks at the
// kernel's files.
func hint(root string, errno unix.Errno) string {
	if errno == unix.EACCES {
		// CONFIG_KEXEC_SIG checks ipl_secure_flag of
		// arch/s390/kernel/ipl.c.
		if b, _ := os.ReadFile(filepath.Join(root, "sys/firmware/ipl/secure")); strings.TrimSpace(string(b)) == "1" {
			return "the machine was started by secure IPL, which permits only kexec_file_load of a signed kernel: start it without secure IPL, or use kexec -s, which carries the list if the kernel has CONFIG_IMA_KEXEC"
		}
	}
	if errno != unix.EPERM {
		if h, ok := hints[errno]; ok {
			return h
		}
		return "see the kernel's log"
	}
	if os.Geteuid() != 0 {
		return "CAP_SYS_BOOT is needed: run as root"
	}
	b, _ := os.ReadFile(filepath.Join(root, "proc/sys/kernel/kexec_load_disabled"))
	if strings.TrimSpace(string(b)) == "1" {
		return "kexec_load_disabled is set and stays so until a reboot"
	}
	b, _ = os.ReadFile(filepath.Join(root, "sys/kernel/security/lockdown"))
	if len(b) > 0 && !strings.Contains(string(b), "[none]") {
		return "the kernel is locked down: " + strings.TrimSpace(string(b)) + "; boot without lockdown or secure boot"
	}
	return "CAP_SYS_BOOT is missing, or kexec_load_limit_reboot is used up"
}
