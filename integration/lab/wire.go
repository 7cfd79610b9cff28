// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Wire is a network with one guest and one server for DHCPv6 and TFTP,
// separate from the host's networks. QEMU's own network has no IPv6 leases.
type Wire struct {
	// Name is the name of the network namespace, and of the tap device in
	// it that the guest must be attached to.
	Name string
	// Address is the server's address.
	Address string

	dnsmasq *exec.Cmd
	log     *strings.Builder
}

const (
	wireAddress = "fd00:1a::1"
	wireWait    = 10 * time.Second
)

// NewWire makes a wire. Its server offers the files of a directory by TFTP, and
// announces the URL of a boot file. A %s in bootFile stands for the server's
// address.
func NewWire(ctx context.Context, tftp, bootFile string) (*Wire, error) {
	w := &Wire{Name: fmt.Sprintf("imaboot%d", os.Getpid()), Address: "[" + wireAddress + "]", log: &strings.Builder{}}
	if _, err := run(ctx, "", "ip", "netns", "add", w.Name); err != nil {
		return nil, err
	}
	if err := w.start(ctx, tftp, fmt.Sprintf(bootFile, w.Address)); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *Wire) start(ctx context.Context, tftp, bootFile string) error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"tuntap", "add", "dev", w.Name, "mode", "tap"},
		// Nobody else could have the address.
		{"addr", "add", wireAddress + "/64", "dev", w.Name, "nodad"},
		{"link", "set", w.Name, "up"},
	} {
		if _, err := run(ctx, "", "ip", append([]string{"-n", w.Name}, args...)...); err != nil {
			return err
		}
	}
	w.dnsmasq = exec.Command("ip", "netns", "exec", w.Name, "dnsmasq",
		"--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--log-dhcp", "--user=root", "--pid-file",
		"--port=0", "--interface="+w.Name, "--dhcp-leasefile="+os.DevNull, "--leasefile-ro",
		// Routes come from router advertisements, not with a lease.
		"--enable-ra", "--dhcp-range=fd00:1a::100,fd00:1a::1ff,64,1h",
		"--dhcp-option=option6:bootfile-url,"+bootFile,
		"--enable-tftp", "--tftp-root="+tftp)
	w.dnsmasq.Stdout, w.dnsmasq.Stderr = w.log, w.log
	return w.dnsmasq.Start()
}

// Listen opens a TCP port of the server.
func (w *Wire) Listen() (net.Listener, error) {
	type result struct {
		net.Listener
		error
	}
	done := make(chan result)
	go func() {
		// From here on the thread is in another namespace. It stays
		// locked, so it ends with this function.
		runtime.LockOSThread()
		l, err := w.listen()
		done <- result{l, err}
	}()
	r := <-done
	return r.Listener, r.error
}

func (w *Wire) listen() (net.Listener, error) {
	ns, err := os.Open(filepath.Join("/run/netns", w.Name))
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("setns %s: %w", ns.Name(), err)
	}
	return net.Listen("tcp6", w.Address+":0")
}

// Close ends the server. If the server failed, the error includes what it
// printed.
func (w *Wire) Close() error {
	var failed error
	if w.dnsmasq != nil && w.dnsmasq.Process != nil {
		if err := w.dnsmasq.Process.Signal(unix.SIGTERM); err != nil {
			failed = err
		}
		timer := time.AfterFunc(wireWait, func() { _ = w.dnsmasq.Process.Kill() })
		if err := w.dnsmasq.Wait(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("dnsmasq: %w\n%s", err, w.log))
		}
		timer.Stop()
	}
	_, err := run(context.Background(), "", "ip", "netns", "del", w.Name)
	return errors.Join(failed, err)
}
