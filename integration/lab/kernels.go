// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"bufio"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Kernels of the lab.
const (
	// Debian61 is the stock kernel of Debian 12: 64 KiB pages, without
	// CONFIG_KEXEC_FILE and CONFIG_IMA_KEXEC.
	Debian61 = "debian-6.1"
	// DebianNew is Debian's newest, built without CONFIG_KEXEC_FILE.
	DebianNew = "debian-new"
	// Own4k and Own64k can restore and send a list.
	Own4k  = "own-4k"
	Own64k = "own-64k"

	// Debian61AMD64 is the stock kernel of Debian 12. It restores a list.
	Debian61AMD64 = "debian-6.1-amd64"
	// Debian612AMD64 is that of Debian 13.
	Debian612AMD64 = "debian-6.12-amd64"
	// DebianNewAMD64 is Debian's newest.
	DebianNewAMD64 = "debian-new-amd64"

	// Debian61S390X is the stock kernel of Debian 12.
	Debian61S390X = "debian-6.1-s390x"
	// DebianNewS390X is Debian's newest. It cannot kexec.
	DebianNewS390X = "debian-new-s390x"
	// OwnS390X has the project's patches: it can restore and send a list.
	OwnS390X = "own-s390x"
)

// stock are kernels as Debian ships them. The patterns in packages lead from a
// meta package to the package that holds the file.
var stock = map[string]struct {
	world
	meta     string
	packages []string // patterns
	file     string
}{
	Debian61AMD64:  {world{"amd64", "bookworm"}, "linux-image-amd64", []string{`linux-image-6\.1\..*-amd64`}, "boot/vmlinuz-*"},
	Debian612AMD64: {world{"amd64", "trixie"}, "linux-image-amd64", []string{`linux-image-6\.12\..*-amd64`}, "boot/vmlinuz-*"},
	DebianNewAMD64: {world{"amd64", "forky"}, "linux-image-amd64", []string{`linux-image-\d.*-amd64`, `linux-binary-\d.*-amd64`}, "usr/lib/modules/*/vmlinuz"},
	Debian61:       {world{"ppc64el", "bookworm"}, "linux-image-powerpc64le", []string{`linux-image-6\.1\..*-powerpc64le`}, "boot/vmlinux-*"},
	DebianNew:      {world{"ppc64el", "forky"}, "linux-image-powerpc64le", []string{`linux-image-\d.*-powerpc64le`, `linux-binary-\d.*-powerpc64le`}, "usr/lib/modules/*/vmlinuz"},
	Debian61S390X:  {world{"s390x", "bookworm"}, "linux-image-s390x", []string{`linux-image-6\.1\..*-s390x`}, "boot/vmlinuz-*"},
	DebianNewS390X: {world{"s390x", "forky"}, "linux-image-s390x", []string{`linux-image-\d.*-s390x`, `linux-binary-\d.*-s390x`}, "usr/lib/modules/*/vmlinuz"},
}

// own are kernels that the lab builds from Debian's newest linux-source.
var own = map[string]struct {
	arch    string // GOARCH
	config  []string
	patched bool // by the project's series for that kernel
	// second: the architecture has another one already, so only the whole
	// suite builds it.
	second bool
}{
	Own4k:    {arch: "ppc64le", config: []string{"common.config", "ppc64le.config", "4k.config"}},
	Own64k:   {arch: "ppc64le", config: []string{"common.config", "ppc64le.config", "64k.config"}, second: true},
	OwnS390X: {arch: "s390x", config: []string{"common.config", "s390x.config"}, patched: true},
}

// cross says how to build a kernel for an architecture. The first file is the
// kernel. ELF files are stripped.
var cross = map[string]struct {
	kernelArch, prefix, target string
	files                      []string
}{
	"ppc64le": {"powerpc", "powerpc64le-linux-gnu-", "vmlinux", []string{"vmlinux"}},
	"s390x":   {"s390", "s390x-linux-gnu-", "bzImage", []string{"arch/s390/boot/bzImage", "arch/s390/boot/vmlinux"}},
}

// sourceWorld has the newest linux-source.
var sourceWorld = world{"ppc64el", "forky"}

//go:embed kernels/*.config
var configs embed.FS

// Kernel returns the path of a kernel.
func (l *Lab) Kernel(ctx context.Context, name string) (string, error) {
	if _, ok := own[name]; ok {
		return l.ownKernel(ctx, name)
	}
	s, ok := stock[name]
	if !ok {
		return "", fmt.Errorf("the lab has no kernel %q", name)
	}
	a, pkg, version, err := l.stockPackage(ctx, name)
	if err != nil {
		return "", err
	}
	dir, err := l.make(stockDir(pkg, version), func(dir string) error {
		l.say("kernel %s: %s %s", name, pkg, version)
		return a.unpack(ctx, dir, pkg)
	})
	if err != nil {
		return "", err
	}
	return one(dir, s.file)
}

// stockPackage finds the package that holds a stock kernel.
func (l *Lab) stockPackage(ctx context.Context, name string) (a *apt, pkg, version string, err error) {
	s := stock[name]
	if a, err = l.world(ctx, s.world); err != nil {
		return nil, "", "", err
	}
	pkg = s.meta
	for _, pattern := range s.packages {
		if pkg, version, err = a.newest(ctx, pkg, pattern); err != nil {
			return nil, "", "", err
		}
	}
	return a, pkg, version, nil
}

// stockDir is where the cache has a stock kernel.
func stockDir(pkg, version string) string { return filepath.Join("kernels", pkg+"_"+version) }

// one returns the one file that matches.
func one(dir, pattern string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("%s: %d files match %s", dir, len(files), pattern)
	}
	return files[0], nil
}

func (l *Lab) ownKernel(ctx context.Context, name string) (string, error) {
	r, err := l.recipe(ctx, name)
	if err != nil {
		return "", err
	}
	dir, err := l.make(r.dir, func(dir string) error {
		source, err := l.source(ctx, r.apt, r.pkg, r.version, r.series)
		if err != nil {
			return err
		}
		return l.build(ctx, name, source, dir, r.fragment)
	})
	return filepath.Join(dir, filepath.Base(cross[own[name].arch].files[0])), err
}

// A recipe is what an own kernel is made from.
type recipe struct {
	apt          *apt
	pkg, version string // of the source
	fragment     []byte
	series       *series
	// dir is the kernel's place in the cache.
	dir string
}

// sourcePackage finds Debian's newest linux-source.
func (l *Lab) sourcePackage(ctx context.Context) (a *apt, pkg, version string, err error) {
	if a, err = l.world(ctx, sourceWorld); err != nil {
		return nil, "", "", err
	}
	pkg, version, err = a.newest(ctx, "linux-source", `linux-source-[0-9.]+`)
	return a, pkg, version, err
}

// recipe needs the architecture's compiler, which is part of it.
func (l *Lab) recipe(ctx context.Context, name string) (*recipe, error) {
	a, pkg, version, err := l.sourcePackage(ctx)
	if err != nil {
		return nil, err
	}
	k := own[name]
	compiler, err := run(ctx, "", cross[k.arch].prefix+"gcc", "--version")
	if err != nil {
		return nil, err
	}
	r := &recipe{apt: a, pkg: pkg, version: version, series: &series{}}
	for _, f := range k.config {
		b, err := configs.ReadFile("kernels/" + f)
		if err != nil {
			return nil, err
		}
		r.fragment = append(r.fragment, b...)
	}
	if k.patched {
		if r.series, err = readSeries(pkg); err != nil {
			return nil, err
		}
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s\n%s%s", pkg, version, compiler, r.fragment, r.series.key))
	r.dir = filepath.Join("kernels", name+"-"+hex.EncodeToString(key[:8]))
	return r, nil
}

// source returns a kernel's tree, with a series of patches applied. A patched tree
// shares unchanged files with the plain one, since patch writes new files.
func (l *Lab) source(ctx context.Context, a *apt, pkg, version string, s *series) (string, error) {
	name := sourceTree(pkg, version)
	plain, err := l.make(name, func(dir string) error {
		l.say("source %s %s", pkg, version)
		return unpackSource(ctx, a, pkg, dir)
	})
	if err != nil || len(s.files) == 0 {
		return filepath.Join(plain, pkg), err
	}
	patched, err := l.make(name+"-"+s.key, func(dir string) error {
		l.say("source %s %s with %d patches", pkg, version, len(s.files))
		if _, err := run(ctx, dir, "cp", "-al", filepath.Join(plain, pkg), "."); err != nil {
			return err
		}
		return s.apply(ctx, filepath.Join(dir, pkg))
	})
	return filepath.Join(patched, pkg), err
}

// sourceTree is where the cache has a tree.
func sourceTree(pkg, version string) string { return filepath.Join("source", pkg+"_"+version) }

// unpackSource unpacks the tree in the package, or only the named files of it.
func unpackSource(ctx context.Context, a *apt, pkg, dir string, files ...string) error {
	tmp, err := os.MkdirTemp(a.dir, "source-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := a.unpack(ctx, tmp, pkg); err != nil {
		return err
	}
	tarball, err := one(tmp, "usr/src/"+pkg+".tar.xz")
	if err != nil {
		return err
	}
	args := []string{"-xf", tarball}
	for _, f := range files {
		args = append(args, pkg+"/"+f)
	}
	_, err = run(ctx, dir, "tar", args...)
	return err
}

// build makes the files of a kernel in dir.
func (l *Lab) build(ctx context.Context, name, source, dir string, fragment []byte) error {
	work := filepath.Join(dir, "build")
	if err := os.Mkdir(work, 0o755); err != nil {
		return err
	}
	x := cross[own[name].arch]
	kmake := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "make", append([]string{
			"-C", source, "O=" + work, "ARCH=" + x.kernelArch, "CROSS_COMPILE=" + x.prefix,
		}, args...)...)
		// The same source gives the same kernel.
		cmd.Env = append(os.Environ(), "LC_ALL=C", "KBUILD_BUILD_TIMESTAMP=1970-01-01", "KBUILD_BUILD_USER=lab", "KBUILD_BUILD_HOST=lab")
		return cmd
	}
	l.say("kernel %s: configuring", name)
	if out, err := kmake("-s", "tinyconfig").CombinedOutput(); err != nil {
		return fmt.Errorf("tinyconfig: %w\n%s", err, tail(string(out), 20))
	}
	config := filepath.Join(work, ".config")
	file := filepath.Join(dir, "fragment")
	if err := os.WriteFile(file, fragment, 0o644); err != nil {
		return err
	}
	if _, err := run(ctx, source, "scripts/kconfig/merge_config.sh", "-m", "-O", work, config, file); err != nil {
		return err
	}
	if out, err := kmake("-s", "olddefconfig").CombinedOutput(); err != nil {
		return fmt.Errorf("olddefconfig: %w\n%s", err, tail(string(out), 20))
	}
	if err := tookEffect(config, fragment); err != nil {
		return err
	}
	if err := l.compile(name, kmake(fmt.Sprintf("-j%d", runtime.NumCPU()), x.target), filepath.Join(dir, "log")); err != nil {
		return err
	}
	for _, f := range x.files {
		tool := []string{"cp", filepath.Join(work, f), filepath.Base(f)}
		if filepath.Base(f) == "vmlinux" {
			tool = []string{x.prefix + "strip", "-o", filepath.Base(f), filepath.Join(work, f)}
		}
		if _, err := run(ctx, dir, tool[0], tool[1:]...); err != nil {
			return err
		}
	}
	return os.RemoveAll(work)
}

// tookEffect checks that the configuration has each line of the fragment: kconfig
// silently drops an option whose dependencies are not met.
func tookEffect(config string, fragment []byte) error {
	b, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		have[strings.TrimSpace(line)] = true
	}
	s := bufio.NewScanner(strings.NewReader(string(fragment)))
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if strings.HasPrefix(line, "CONFIG_") && !have[line] {
			return fmt.Errorf("kernel configuration: %s did not take effect", line)
		}
	}
	return s.Err()
}

// compile runs make, and reports from time to time how far it is.
func (l *Lab) compile(name string, cmd *exec.Cmd, log string) error {
	f, err := os.Create(log)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	l.say("kernel %s: compiling with %d jobs", name, runtime.NumCPU())
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			b, _ := os.ReadFile(log)
			if err != nil {
				return fmt.Errorf("kernel %s: %w\n%s", name, err, tail(string(b), 40))
			}
			l.say("kernel %s: done, %d files", name, strings.Count(string(b), "\n"))
			return nil
		case <-tick.C:
			b, _ := os.ReadFile(log)
			l.say("kernel %s: %d files so far", name, strings.Count(string(b), "\n"))
		}
	}
}

// Kernels are the names of all kernels.
func Kernels() []string {
	return append(slices.Sorted(maps.Keys(stock)), slices.Sorted(maps.Keys(own))...)
}

// FewKernels are the names of the kernels that gate a change: at most one of
// each architecture has to be built.
func FewKernels() []string {
	return slices.DeleteFunc(Kernels(), func(name string) bool { return own[name].second })
}

// Architectures are the GOARCHes of guests.
func Architectures() []string { return slices.Sorted(maps.Keys(platforms)) }

// archOf is the GOARCH of a kernel.
func archOf(kernel string) string {
	if k, ok := own[kernel]; ok {
		return k.arch
	}
	return goarch[stock[kernel].arch]
}

// goarch has Debian's names of architectures that Go calls otherwise.
var goarch = map[string]string{"amd64": "amd64", "ppc64el": "ppc64le", "s390x": "s390x"}
