// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
)

// networkModules drive QEMU's network card.
var networkModules = map[string][]string{
	ppc64le: {"virtio_pci", "virtio_net"},
	s390x:   {"virtio_net"},
}

// network attaches a guest to a network of its own, in which QEMU is the DHCP
// and TFTP server, and 10.0.2.2 is this machine.
func network(arch, options string) []string {
	device := "virtio-net-pci,netdev=n"
	if arch == s390x {
		device = "virtio-net-ccw,netdev=n"
	}
	return []string{"-netdev", "user,id=n" + options, "-device", device}
}

// newNetFirmware is a first stage that has a network and nothing to boot.
func newNetFirmware(t *testing.T, arch string, steps ...script.Step) lab.Stage {
	t.Helper()
	files, err := theLab.Modules(t.Context(), stockOf[arch], networkModules[arch]...)
	if err != nil {
		t.Fatal(err)
	}
	return lab.Stage{Kernel: kernel(t, stockOf[arch]), Files: files, Stage: script.Stage{Name: "1", Steps: steps}}
}

// A server is a web server that a guest can reach.
type server struct {
	*httptest.Server
	kernel, initrd []byte
	// cut is how often a file still breaks off in the middle, stall how often
	// nothing more comes.
	cut, stall atomic.Int32
}

func newServer(t *testing.T, arch, kernelName string) *server {
	t.Helper()
	initrd, err := theLab.Initramfs(t.Context(), t.TempDir(), arch, lab.Stage{Stage: script.Stage{Name: "2", Steps: append([]script.Step{proven(arch)}, joined...)}})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	for file, to := range map[string]*[]byte{kernel(t, kernelName): &s.kernel, initrd: &s.initrd} {
		if *to, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/kernel", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.kernel) })
	mux.HandleFunc("/initrd", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.initrd) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", fmt.Sprint(2<<30)) })
	s.Server = httptest.NewUnstartedServer(mux)
	return s
}

// serve sends a file, or a part of it.
func (s *server) serve(w http.ResponseWriter, r *http.Request, b []byte) {
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(b)))
	switch {
	case s.cut.Add(-1) >= 0:
		w = &failing{ResponseWriter: w, left: len(b) / 3}
	case s.stall.Add(-1) >= 0:
		w = &failing{ResponseWriter: w, left: len(b) / 3, stall: r.Context().Done()}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// A failing connection ends after some bytes; with stall it only stops.
type failing struct {
	http.ResponseWriter
	left  int
	stall <-chan struct{}
}

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left > 0 {
		return f.ResponseWriter.Write(b)
	}
	if f.stall != nil {
		<-f.stall
	}
	panic(http.ErrAbortHandler)
}

// url is the address of a file as the guest has it.
func (s *server) url(name string) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s.URL, "https://"), "http://"), ":")
	scheme, _, _ := strings.Cut(s.URL, ":")
	return fmt.Sprintf("%s://10.0.2.2:%s/%s", scheme, port, name)
}

func sum(b []byte) string { return fmt.Sprintf("--checksum=sha256:%x", sha256.Sum256(b)) }

// TestNetwork boots from a PXELINUX configuration: the kernel by TFTP, the
// initrd by HTTP from a server that fails in the middle.
func TestNetwork(t *testing.T) {
	needLab(t)
	for _, tt := range []struct{ arch, kernel string }{{ppc64le, lab.Own4k}, {s390x, lab.OwnS390X}} {
		t.Run(tt.arch, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.arch, tt.kernel)
			s.Start()
			defer s.Close()
			s.cut.Store(1)
			s.stall.Store(1)
			tftp := t.TempDir()
			config := fmt.Sprintf("default one\ntimeout 50\nlabel two\n kernel none\nlabel one\n menu label the network's\n kernel kernel\n initrd %s\n append %s\n",
				s.url("initrd"), lab.Cmdline(tt.arch))
			for name, content := range map[string]string{"pxelinux.cfg/default": config, "kernel": string(s.kernel)} {
				path := filepath.Join(tftp, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			r := runGuest(t, lab.Guest{Arch: tt.arch, CPUs: 1, Devices: network(tt.arch, ",tftp="+tftp+",bootfile=/pxelinux.0"), Stages: []lab.Stage{
				newNetFirmware(t, tt.arch, report, find("--from=net", "--timeout=1s")),
			}})
			checkArrived(t, r, 2)
			t.Log(r.Console)
			for _, want := range []string{"the network's", "10.0.2.15", "booting"} {
				if !strings.Contains(r.Console, want) {
					t.Errorf("%q is not on the console", want)
				}
			}
			if s.cut.Load() > 0 || s.stall.Load() > 0 {
				t.Error("the server was not asked again")
			}
		})
	}
}

// TestURL boots addresses that are named, and refuses what is not what it
// should be.
func TestURL(t *testing.T) {
	needLab(t)
	t.Parallel()
	s := newServer(t, ppc64le, lab.Own4k)
	s.Start()
	defer s.Close()
	tls := newServer(t, ppc64le, lab.Own4k)
	tls.StartTLS()
	defer tls.Close()
	boot := func(url string, flags ...string) script.Step {
		return script.Step{Run: append([]string{"/bin/imaboot", "boot", "--no-menu", "--append", lab.Cmdline(ppc64le), "--url", url}, flags...)}
	}
	initrd := "--initrd=" + s.url("initrd")
	tests := []refusal{
		{"another kernel", boot(s.url("kernel"), sum(s.initrd)), 48, "not the expected one"},
		{"another initrd", boot(s.url("kernel"), initrd, sum(s.kernel), sum(s.kernel)), 48, "not the expected one"},
		{"no file", boot(s.url("none")), 45, "no such file on the server"},
		{"redirects without end", boot(s.url("loop")), 46, "redirect"},
		{"too big", boot(s.url("big")), 47, "too big"},
		{"unknown certificate", boot(tls.url("kernel")), 49, "not trusted"},
		{"no kernel", boot(s.url("initrd")), 9, "not a bootable kernel"},
		{"more checksums than files", boot(s.url("kernel"), sum(s.kernel), sum(s.kernel)), 2, "2 checksums for 1 addresses"},
	}
	var steps []script.Step
	for _, tt := range tests {
		steps = append(steps, tt.step)
	}
	last := boot(s.url("kernel"), initrd, sum(s.kernel), sum(s.initrd))
	last.Show = true
	r := runGuest(t, lab.Guest{CPUs: 1, Devices: network(ppc64le, ""), Stages: []lab.Stage{newNetFirmware(t, ppc64le, append(steps, report, last)...)}})
	first := stage(t, r, "1")
	checkRefusals(t, first, tests)
	first.Runs = nil
	checkArrived(t, r, 2)
}
