// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Prepare installs and makes what guests with these kernels need. Before it
// begins it says how much there is to download, and how long it may take.
func (l *Lab) Prepare(ctx context.Context, kernels ...string) error {
	return l.prepare(ctx, toolsFor(kernels), kernels)
}

// PrepareSuite is Prepare for all tests.
func (l *Lab) PrepareSuite(ctx context.Context, kernels ...string) error {
	return l.prepare(ctx, allTools(kernels), kernels)
}

func (l *Lab) prepare(ctx context.Context, tools []tool, kernels []string) error {
	packages, err := l.packagesFor(ctx, tools)
	if err != nil {
		return err
	}
	w, err := l.work(ctx, packages, kernels)
	if err != nil {
		return err
	}
	if text := w.String(); text != "" {
		l.say("%s", text)
	}
	if err := l.install(ctx, packages); err != nil {
		return err
	}
	for _, k := range kernels {
		if _, err := l.Kernel(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// work is what there is to do before guests can run. Sizes are in bytes.
type work struct {
	packages     int
	debs, disk   int64
	downloads    []string
	downloadSize int64
	builds       []string
	cpus         int
}

// What a machine is taken to do: these were measured on one with two CPUs.
const (
	downloadRate = 5 << 20  // bytes a second
	installRate  = 20 << 20 // bytes on disk a second
	unpackTime   = 30 * time.Second
	buildTime    = 10 * time.Minute // of one CPU, for one kernel
)

// work finds out what is missing.
func (l *Lab) work(ctx context.Context, packages, kernels []string) (*work, error) {
	w := &work{packages: len(packages), cpus: runtime.NumCPU()}
	var err error
	if w.debs, w.disk, err = installSize(ctx, packages); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	add := func(a *apt, pkg, version, dir string) error {
		if seen[dir] || l.has(dir) {
			return nil
		}
		seen[dir] = true
		n, err := a.size(ctx, pkg)
		w.downloads = append(w.downloads, pkg+" "+version)
		w.downloadSize += n
		return err
	}
	for _, k := range kernels {
		if _, ok := own[k]; !ok {
			a, pkg, version, err := l.stockPackage(ctx, k)
			if err != nil {
				return nil, err
			}
			if err := add(a, pkg, version, stockDir(pkg, version)); err != nil {
				return nil, err
			}
			continue
		}
		if archTools[own[k].arch].compiler.here() {
			r, err := l.recipe(ctx, k)
			if err != nil {
				return nil, err
			}
			if l.has(r.dir) {
				continue
			}
		}
		w.builds = append(w.builds, k)
		a, pkg, version, err := l.sourcePackage(ctx)
		if err != nil {
			return nil, err
		}
		if err := add(a, pkg, version, sourceTree(pkg, version)); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// has tells whether a thing is in the cache.
func (l *Lab) has(name string) bool {
	_, err := os.Stat(filepath.Join(l.Dir, name))
	return err == nil
}

// String is empty when there is nothing to do.
func (w *work) String() string {
	var parts []string
	if w.packages > 0 {
		parts = append(parts, fmt.Sprintf("%d packages and what they need from apt: %s to download, %s on disk", w.packages, megabytes(w.debs), megabytes(w.disk)))
	}
	if len(w.downloads) > 0 {
		parts = append(parts, fmt.Sprintf("%s for guests: %s to download", strings.Join(w.downloads, ", "), megabytes(w.downloadSize)))
	}
	if len(w.builds) > 0 {
		parts = append(parts, fmt.Sprintf("kernels to build with %d CPUs: %s", w.cpus, strings.Join(w.builds, ", ")))
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("missing are %s. This takes about %d min", strings.Join(parts, "; "), w.minutes())
}

// minutes is how long the work may take, rounded up.
func (w *work) minutes() int {
	d := float64(w.debs+w.downloadSize)/downloadRate + float64(w.disk)/installRate
	if len(w.builds) > 0 {
		d += unpackTime.Seconds() + float64(len(w.builds))*buildTime.Seconds()/float64(w.cpus)
	}
	return int(math.Ceil(d / 60))
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", (n+500_000)/1_000_000) }

// installSize asks apt what it would download for packages, and how much room
// they would take.
func installSize(ctx context.Context, packages []string) (download, disk int64, err error) {
	if len(packages) == 0 {
		return 0, 0, nil
	}
	// apt exits with an error since it is told to answer no.
	out, _ := run(ctx, "", "sh", append([]string{"-c", `apt-get install --assume-no --no-install-recommends "$@" || true`, "sh"}, packages...)...)
	if download, err = aptSize(out, needToGet); err != nil {
		return 0, 0, err
	}
	disk, err = aptSize(out, afterwards)
	return download, disk, err
}

// What apt-get says, in all its forms: "Need to get 1,234 kB/56.7 MB of
// archives." and "After this operation, 562 MB of additional disk space will be
// used."
var (
	needToGet  = regexp.MustCompile(`Need to get ([0-9.,]+) ([kMG]?B)`)
	afterwards = regexp.MustCompile(`After this operation, ([0-9.,]+) ([kMG]?B) of additional`)
)

var units = map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}

// aptSize finds a size in what apt-get says; there is none where apt-get needs
// to get nothing.
func aptSize(out string, re *regexp.Regexp) (int64, error) {
	m := re.FindStringSubmatch(out)
	if m == nil {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
	if err != nil {
		return 0, fmt.Errorf("apt-get says %q: %w", m[0], err)
	}
	return int64(n * units[m[2]]), nil
}
