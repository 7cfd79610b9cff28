// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/handover"
)

// networkModules are the drivers of QEMU's network card.
var networkModules = map[string][]string{
	ppc64le: {"virtio_pci", "virtio_net"},
	s390x:   {"virtio_net"},
}

// network attaches a guest to two networks. QEMU provides the DHCP and TFTP
// server of one network, in which 10.0.2.2 is this machine.
func network(arch, options string) []string {
	device := "virtio-net-pci,romfile=,netdev=n"
	if arch == s390x {
		device = "virtio-net-ccw,netdev=n"
	}
	// The other network has a DHCP server, too, but offers nothing to boot.
	idle := strings.Replace(device, "netdev=n", "netdev=idle", 1)
	return []string{"-netdev", "user,id=idle,net=10.0.3.0/24", "-device", idle, "-netdev", "user,id=n" + options, "-device", device}
}

// newNetFirmware returns a first stage that has a network and no target.
func newNetFirmware(t *testing.T, arch string, steps ...script.Step) lab.Stage {
	t.Helper()
	return firmwareWith(t, arch, networkModules[arch], steps...)
}

// A server is a web server that a guest can reach.
type server struct {
	*httptest.Server
	kernel, initrd []byte
	// cut is the number of times that a file is still to break off in the
	// middle, and stall the number of times that it is still to stop.
	cut, stall atomic.Int32
}

func newServer(t *testing.T, arch, kernelName string) *server {
	t.Helper()
	initrd, err := theLab.Initramfs(t.Context(), t.TempDir(), arch, lab.Stage{Stage: script.Stage{Name: "2", Steps: append([]script.Step{proven(arch)}, joined...)}})
	if err != nil {
		t.Fatal(err)
	}
	return serverOf(t, kernel(t, kernelName), initrd)
}

// serverOf returns a server that offers two files once it is started.
func serverOf(t *testing.T, kernel, initrd string) *server {
	t.Helper()
	s := &server{}
	for file, to := range map[string]*[]byte{kernel: &s.kernel, initrd: &s.initrd} {
		var err error
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

// serve sends a file or a part of it.
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

// A failing connection ends after some bytes. With stall, it stays open but
// stops.
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

// url returns the address of a file, as the guest sees it.
func (s *server) url(name string) string {
	_, port, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s.URL, "https://"), "http://"), ":")
	scheme, _, _ := strings.Cut(s.URL, ":")
	return fmt.Sprintf("%s://10.0.2.2:%s/%s", scheme, port, name)
}

func sum(b []byte) string { return fmt.Sprintf("--checksum=sha256:%x", sha256.Sum256(b)) }

// TestNetwork boots from a PXELINUX configuration. The kernel comes by TFTP,
// and the initrd by HTTP from a server that fails in the middle.
func TestNetwork(t *testing.T) {
	for _, tt := range []struct{ arch, kernel string }{{ppc64le, lab.Own4k}, {s390x, lab.OwnS390X}} {
		t.Run(tt.arch, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, tt.arch, tt.kernel)
			s.Start()
			defer s.Close()
			s.cut.Store(1)
			s.stall.Store(1)
			tftp := tftpDir(t, map[string]string{"kernel": string(s.kernel), "pxelinux.cfg/default": fmt.Sprintf(
				"default one\ntimeout 50\nlabel two\n kernel none\nlabel one\n menu label the network's\n kernel kernel\n initrd %s\n append %s\n",
				s.url("initrd"), lab.Cmdline(tt.arch))})
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

func tftpDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		writeFile(t, dir, name, content)
	}
	return dir
}

func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDebianNetwork boots Debian's own kernel and initramfs from a server to
// multi-user, with an iPXE script and without a menu. The list arrives, and
// names the files that were downloaded.
func TestDebianNetwork(t *testing.T) {
	for _, arch := range []string{ppc64le, s390x} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			disk, err := theLab.DebianDisk(t.Context(), arch)
			if err != nil {
				t.Fatal(err)
			}
			kernel, initrd, cmdline, err := theLab.DebianFiles(t.Context(), arch)
			if err != nil {
				t.Fatal(err)
			}
			s := serverOf(t, kernel, initrd)
			s.Start()
			defer s.Close()
			ipxe := fmt.Sprintf("#!ipxe\nset base %s\nkernel ${base}kernel %s || exit\ninitrd ${base}initrd\nboot\n", s.url(""), cmdline)
			tftp := tftpDir(t, map[string]string{"boot.ipxe": ipxe})
			firmware := newNetFirmware(t, arch, append(slices.Clip(joined), find("--from=net", "--no-menu"))...)
			r := runGuest(t, lab.Guest{
				Arch: arch, CPUs: 2, Stages: []lab.Stage{firmware},
				Devices: append(network(arch, ",tftp="+tftp+",bootfile=boot.ipxe"), drive(arch, disk)...),
			})
			checkArrived(t, r, 2)
			l, err := handover.Parse(stage(t, r, lab.SystemStage).Lists[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{"kernel": s.kernel, "initrd": s.initrd} {
				if l.Measured(content) == 0 {
					t.Errorf("the %s that was downloaded is not measured", name)
				}
			}
		})
	}
}

// TestURL boots from addresses that are given, and refuses downloads that are
// missing, wrong or not trusted.
func TestURL(t *testing.T) {
	t.Parallel()
	s := newServer(t, ppc64le, lab.Own4k)
	s.Start()
	defer s.Close()
	tls := newServer(t, ppc64le, lab.Own4k)
	tls.StartTLS()
	defer tls.Close()
	boot := func(url string, flags ...string) script.Step {
		return script.Step{Run: append([]string{"/bin/imaboot", "boot", "--no-menu", "--wait=15s", "--append", lab.Cmdline(ppc64le), "--url", url}, flags...)}
	}
	initrd := "--initrd=" + s.url("initrd")
	tests := []refused{
		{"another kernel", boot(s.url("kernel"), sum(s.initrd)), 48, "not the expected one"},
		{"another initrd", boot(s.url("kernel"), initrd, sum(s.kernel), sum(s.kernel)), 48, "not the expected one"},
		{"no file", boot(s.url("none")), 45, "no such file on the server"},
		{"redirects without end", boot(s.url("loop")), 46, "redirect"},
		{"too big", boot(s.url("big")), 47, "too big"},
		{"unknown certificate", boot(tls.url("kernel")), 49, "not trusted"},
		{"no kernel", boot(s.url("initrd")), 9, "not a bootable kernel"},
		{"more checksums than files", boot(s.url("kernel"), sum(s.kernel), sum(s.kernel)), 2, "2 checksums for 1 URL"},
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

// lossyTFTP offers one file by TFTP (RFC 1350, 2347 to 2349), but loses one of
// every so many packets that it sends or receives. It returns its port.
func lossyTFTP(t *testing.T, content []byte, every int) int {
	t.Helper()
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Error(err)
			return nil
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	front := listen()
	go func() {
		b := make([]byte, 1500)
		for {
			n, client, err := front.ReadFromUDP(b)
			if err != nil {
				return
			}
			words := strings.Split(string(b[2:n]), "\x00")
			if c := listen(); c != nil {
				go sendTFTP(c, client, words, content, every)
			}
		}
	}()
	return front.LocalAddr().(*net.UDPAddr).Port
}

// sendTFTP answers a request. Its words are the name, the mode, and options
// with their values.
func sendTFTP(c *net.UDPConn, client *net.UDPAddr, words []string, content []byte, every int) {
	block, packets := 512, 0
	answer := "\x00\x06"
	for i := 2; i+1 < len(words); i += 2 {
		switch words[i] {
		case "blksize":
			block, _ = strconv.Atoi(words[i+1])
			answer += "blksize\x00" + words[i+1] + "\x00"
		case "tsize":
			answer += fmt.Sprintf("tsize\x00%d\x00", len(content))
		}
	}
	lost := func() bool { packets++; return packets%every == 0 }
	// acknowledged sends a packet until its number is acknowledged.
	acknowledged := func(packet []byte, number uint16) bool {
		// Wait longer than the client's timeout of a second, before
		// which the client does not acknowledge a packet again.
		const most, patience = 20, 1500 * time.Millisecond
		b := make([]byte, 1500)
		for range most {
			if !lost() {
				if _, err := c.WriteToUDP(packet, client); err != nil {
					return false
				}
			}
			_ = c.SetReadDeadline(time.Now().Add(patience))
			for {
				n, _, err := c.ReadFromUDP(b)
				if err != nil {
					break // the packet was lost: send it again
				}
				if n >= 4 && b[1] == 4 && binary.BigEndian.Uint16(b[2:]) == number && !lost() {
					return true
				}
			}
		}
		return false
	}
	if !acknowledged([]byte(answer), 0) {
		return
	}
	for number := 1; ; number++ {
		at := min((number-1)*block, len(content))
		end := min(at+block, len(content))
		packet := binary.BigEndian.AppendUint16([]byte{0, 3}, uint16(number))
		if !acknowledged(append(packet, content[at:end]...), uint16(number)) || end-at < block {
			return
		}
	}
}

// TestLostPackets: TFTP over a network that loses packets delivers the right
// file.
func TestLostPackets(t *testing.T) {
	t.Parallel()
	s := newServer(t, ppc64le, lab.Own4k)
	s.Start()
	defer s.Close()
	const every = 1500
	url := fmt.Sprintf("tftp://10.0.2.2:%d/kernel", lossyTFTP(t, s.kernel, every))
	r := runGuest(t, lab.Guest{CPUs: 1, Devices: network(ppc64le, ""), Stages: []lab.Stage{newNetFirmware(t, ppc64le, report,
		find("--no-menu", "--append", lab.Cmdline(ppc64le), "--url", url, "--initrd", s.url("initrd"), sum(s.kernel)))}})
	checkArrived(t, r, 2)
}
