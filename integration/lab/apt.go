// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// keyring signs all suites that the lab takes packages from.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// A world is a suite of Debian for one architecture. It need not be the host's:
// apt gets directories of its own, and leaves the host's packages alone.
type world struct{ arch, suite string }

type apt struct {
	dir  string
	opts []string
}

// mirrorPattern finds the mirror's address in both forms of sources: "URIs:
// ADDRESS" in deb822, and "deb [options] ADDRESS suite".
var mirrorPattern = regexp.MustCompile(`(?m)^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+/debian/?)(?:\s|$)`)

// mirror returns the address of the Debian mirror in the machine's own sources.
func mirror() (string, error) {
	files, err := filepath.Glob("/etc/apt/sources.list.d/*")
	if err != nil {
		return "", err
	}
	for _, name := range append([]string{"/etc/apt/sources.list"}, files...) {
		b, err := os.ReadFile(name)
		if err != nil || (!strings.HasSuffix(name, ".list") && !strings.HasSuffix(name, ".sources")) {
			continue
		}
		if m := mirrorPattern.FindSubmatch(b); m != nil {
			return string(m[1]), nil
		}
	}
	return "", errors.New("no mirror of Debian in the machine's apt sources")
}

// listsAge is the age at which a world's package lists are downloaded again.
const listsAge = 12 * time.Hour

// world makes apt ready for an architecture and suite.
func (l *Lab) world(ctx context.Context, w world) (*apt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.worlds[w]; a != nil {
		return a, nil
	}
	dir := filepath.Join(l.Dir, "apt", w.arch+"-"+w.suite)
	for _, d := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	uri, err := mirror()
	if err != nil {
		return nil, err
	}
	source := filepath.Join(dir, "sources.list")
	line := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, uri, w.suite)
	a := &apt{dir: dir, opts: []string{
		"-oAPT::Architecture=" + w.arch, "-oAPT::Architectures=" + w.arch,
		"-oDir::State::Lists=" + filepath.Join(dir, "lists"), "-oDir::State::status=/dev/null",
		"-oDir::Etc::sourcelist=" + source, "-oDir::Etc::sourceparts=/dev/null",
		"-oDir::Cache=" + filepath.Join(dir, "cache"), "-oAcquire::Languages=none",
		"-oAPT::Sandbox::User=root", "-q=2",
	}}
	stamp := filepath.Join(dir, "updated")
	if info, err := os.Stat(stamp); err != nil || time.Since(info.ModTime()) > listsAge {
		l.say("package lists of %s for %s", w.suite, w.arch)
		if err := os.WriteFile(source, []byte(line), 0o644); err != nil {
			return nil, err
		}
		// A mirror that is being updated may work a moment later.
		for try := 1; ; try++ {
			if _, err = run(ctx, dir, "apt-get", append(a.opts, "update", "--error-on=any")...); err == nil {
				break
			}
			if try == 3 {
				return nil, fmt.Errorf("package lists of %s for %s: %w", w.suite, w.arch, err)
			}
			time.Sleep(time.Duration(try) * 5 * time.Second)
		}
		if err := os.WriteFile(stamp, nil, 0o644); err != nil {
			return nil, err
		}
	}
	l.worlds[w] = a
	return a, nil
}

// newest finds the package that a meta package depends on and whose name matches.
// No point release is named here, since mirrors remove old ones. It returns the
// package's name and version.
func (a *apt) newest(ctx context.Context, meta, pattern string) (name, version string, err error) {
	out, err := run(ctx, a.dir, "apt-cache", append(a.opts, "show", "--no-all-versions", meta)...)
	if err != nil {
		return "", "", err
	}
	re := regexp.MustCompile(`^` + pattern + `$`)
	s := bufio.NewScanner(strings.NewReader(out))
	for s.Scan() {
		field, value, _ := strings.Cut(s.Text(), ": ")
		switch field {
		case "Version":
			version = value
		case "Depends":
			for d := range strings.SplitSeq(value, ",") {
				if d, _, _ := strings.Cut(strings.TrimSpace(d), " "); re.MatchString(d) {
					name = d
				}
			}
		}
	}
	if re.MatchString(meta) {
		name = meta
	}
	if name == "" {
		return "", "", fmt.Errorf("%s depends on no package %s", meta, pattern)
	}
	return name, version, nil
}

// size is that of a package's newest version, in bytes.
func (a *apt) size(ctx context.Context, pkg string) (int64, error) {
	out, err := run(ctx, a.dir, "apt-cache", append(a.opts, "show", "--no-all-versions", pkg)...)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(line, "Size: "); ok {
			return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
	}
	return 0, fmt.Errorf("apt-cache names no size of %s", pkg)
}

// unpack downloads packages and unpacks them into dir.
func (a *apt) unpack(ctx context.Context, dir string, names ...string) error {
	tmp, err := os.MkdirTemp(a.dir, "deb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if _, err := run(ctx, tmp, "apt-get", append(append(a.opts, "download"), names...)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range debs {
		// dpkg-deb -x would make directories of the links of a merged /usr.
		if _, err := run(ctx, tmp, "sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink`, "sh", deb, dir); err != nil {
			return err
		}
	}
	return nil
}
