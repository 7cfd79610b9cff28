// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hugelgupf/vmtest/qemu"
)

// A Guest is a virtual machine that runs a chain of kernels.
type Guest struct {
	// Arch is a GOARCH, and a key of platforms.
	Arch string
	// PowerNV makes the guest bare metal instead of a partition. It has no
	// TPM.
	PowerNV bool
	// UEFI makes an amd64 guest start with OVMF instead of SeaBIOS.
	UEFI bool
	// Memory is the size in QEMU's notation; the default is 2G. It is
	// divided among Nodes.
	Memory string
	Nodes  int
	CPUs   int
	// Devices are additional arguments of QEMU.
	Devices []string
	// Wire is the network namespace that QEMU runs in, or nil for the
	// host's.
	Wire *Wire
	// Append is added to the first kernel's command line.
	Append string
	Stages []Stage
	// Initramfs is used instead of an initramfs for the stages. Such a
	// guest reports nothing, and is stopped when it prints Until.
	Initramfs string
	Until     string
	// Keys are typed in this order.
	Keys []Keys
	// Timeout ends a guest that hangs. It is never shorter than the
	// default.
	Timeout time.Duration
	// Console receives what the guest prints, as it is printed. It may be
	// nil.
	Console io.Writer
}

// Keys are typed on the console when it shows After. The text has to follow
// those of earlier Keys.
type Keys struct{ After, Type string }

// Cmdline returns the command line that every kernel of a guest is started
// with. The root is ramfs because Debian's 6.1 measures nothing on tmpfs.
func Cmdline(arch string) string {
	return "console=" + platforms[arch].console + " quiet panic=-1 rootfstype=ramfs ima_policy=tcb"
}

// A platform says how QEMU emulates an architecture.
type platform struct {
	command string
	console string
	// tpm is the TPM device, or "" if QEMU has none.
	tpm string
}

// platforms are the partitions that run under a hypervisor, and PCs.
var platforms = map[string]platform{
	"amd64": {
		command: "qemu-system-x86_64 -machine q35 -cpu max -nodefaults -serial mon:stdio",
		console: "ttyS0",
		tpm:     "tpm-tis",
	},
	"ppc64le": {
		// TCG supports none of these mitigations.
		command: "qemu-system-ppc64 -machine pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off" +
			" -cpu POWER9 -nodefaults -serial mon:stdio",
		console: "hvc0",
		tpm:     "tpm-spapr",
	},
	"s390x": {
		// Use a small translation buffer. With the default of QEMU 7.2,
		// the decompressor of a second kernel takes minutes; with 32
		// MiB, some kernels die in it silently.
		command: "qemu-system-s390x -machine s390-ccw-virtio -accel tcg,tb-size=8 -cpu max -nodefaults -serial mon:stdio",
		console: "ttysclp0",
	},
}

// powerNV is bare metal with the console that its firmware supports.
const powerNV = "qemu-system-ppc64 -machine powernv9 -cpu POWER9"

// Defaults for fields of a Guest that are not set.
const (
	defaultMemory  = "2G"
	defaultTimeout = 8 * time.Minute
)

// sink collects the console's output, and calls stop once when it contains
// until.
type sink struct {
	mu    sync.Mutex
	all   bytes.Buffer
	also  io.Writer
	until string
	stop  func()
	seen  bool
	// keys are still to be typed, by sending them to send. The texts that
	// they wait for are searched from the offset from.
	keys []Keys
	from int
	send chan<- string
}

func (s *sink) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.also != nil {
		_, _ = s.also.Write(b)
	}
	n, err := s.all.Write(b)
	if len(s.keys) > 0 && bytes.Contains(s.all.Bytes()[s.from:], []byte(s.keys[0].After)) {
		s.send <- s.keys[0].Type
		s.keys, s.from = s.keys[1:], s.all.Len()
	}
	if s.until != "" && !s.seen && bytes.Contains(s.all.Bytes(), []byte(s.until)) {
		s.seen = true
		s.stop()
	}
	return n, err
}

func (s *sink) Close() error { return nil }

// Run runs a guest until it ends, and returns what its stages reported. The
// error includes the last lines of the console.
func (l *Lab) Run(ctx context.Context, g Guest) (*Result, error) {
	dir, err := os.MkdirTemp("", "imaboot-guest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	initramfs := g.Initramfs
	if initramfs == "" {
		programs, err := l.guestBinaries(ctx, g.Arch)
		if err != nil {
			return nil, err
		}
		if initramfs, err = image(ctx, dir, programs, g.Stages); err != nil {
			return nil, err
		}
	}
	p, ok := platforms[g.Arch]
	if !ok {
		return nil, fmt.Errorf("no guests of architecture %q", g.Arch)
	}
	if g.PowerNV {
		p = platform{command: powerNV}
	}
	args := []string{"-m", g.memory(), "-smp", fmt.Sprint(max(g.CPUs, 1))}
	args = append(append(args, g.nodes()...), g.Devices...)
	if g.UEFI {
		drives, err := ovmf(dir)
		if err != nil {
			return nil, err
		}
		args = append(args, drives...)
	}
	if p.tpm != "" {
		socket, stop, err := startTPM(ctx, dir)
		if err != nil {
			return nil, err
		}
		defer stop()
		args = append(args, "-chardev", "socket,id=tpm,path="+socket,
			"-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", p.tpm+",tpmdev=tpm0")
	}
	command := p.command
	if g.Wire != nil {
		command = "ip netns exec " + g.Wire.Name + " " + command
	}
	ctx, stopGuest := context.WithCancel(ctx)
	defer stopGuest()
	typed := make(chan string, len(g.Keys))
	out := &sink{also: g.Console, until: g.Until, stop: stopGuest, keys: g.Keys, send: typed}
	vm, err := qemu.StartContext(ctx, qemu.Arch(g.Arch),
		qemu.WithQEMUCommand(command),
		qemu.WithKernel(g.Stages[0].Kernel),
		qemu.WithInitramfs(initramfs),
		qemu.WithAppendKernel(strings.TrimSpace(Cmdline(g.Arch)+" "+g.Append)),
		qemu.ArbitraryArgs(args...),
		qemu.WithSerialOutput(out),
		qemu.WithVMTimeout(max(g.Timeout, defaultTimeout)),
	)
	if err != nil {
		return nil, fmt.Errorf("QEMU: %w", err)
	}
	go func() {
		for {
			select {
			case text := <-typed:
				// A guest that has ended is reported elsewhere.
				_, _ = vm.Console.Send(text)
			case <-ctx.Done():
				return
			}
		}
	}()
	err = vm.Wait()
	if g.Until != "" {
		if !out.seen {
			return nil, fmt.Errorf("guest did not print %q: %w\n%s", g.Until, err, tail(clean(out.all.String()), 60))
		}
		return &Result{}, nil
	}
	result, parseErr := parse(out.all.Bytes())
	result.TPM = p.tpm != ""
	if err := errors.Join(err, parseErr); err != nil {
		return result, fmt.Errorf("guest: %w\n%s", err, tail(clean(out.all.String()), 60))
	}
	return result, nil
}

// Files of Debian's package ovmf.
const (
	ovmfCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	ovmfVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

// ovmf returns the drives with UEFI firmware. The one with its variables is a
// copy in dir.
func ovmf(dir string) ([]string, error) {
	b, err := os.ReadFile(ovmfVars)
	if err != nil {
		return nil, err
	}
	vars := filepath.Join(dir, "vars.fd")
	if err := os.WriteFile(vars, b, 0o600); err != nil {
		return nil, err
	}
	return []string{
		"-drive", "if=pflash,format=raw,readonly=on,file=" + ovmfCode,
		"-drive", "if=pflash,format=raw,file=" + vars,
	}, nil
}

func (g *Guest) memory() string {
	if g.Memory == "" {
		return defaultMemory
	}
	return g.Memory
}

// nodes divides memory and CPUs equally among the nodes.
func (g *Guest) nodes() []string {
	var args []string
	var n int
	if _, err := fmt.Sscanf(g.memory(), "%dG", &n); err != nil || g.Nodes < 2 {
		return nil
	}
	for i := range g.Nodes {
		per := g.CPUs / g.Nodes
		args = append(args,
			"-object", fmt.Sprintf("memory-backend-ram,id=m%d,size=%dM", i, n*1024/g.Nodes),
			"-numa", fmt.Sprintf("node,memdev=m%d,cpus=%d-%d", i, i*per, (i+1)*per-1))
	}
	return args
}

// vmtest only knows some architectures; the others are passed as arguments.
func init() {
	for _, a := range []qemu.Arch{"amd64", "ppc64le", "s390x"} {
		if !slices.Contains(qemu.SupportedArches, a) {
			qemu.SupportedArches = append(qemu.SupportedArches, a)
		}
	}
}
