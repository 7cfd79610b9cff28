// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imaboot/imaboot/integration/lab"
)

// Releases are those of Debian that the README names.
var Releases = []string{"bookworm", "trixie"}

// newcomer are the README's commands, as arguments of ./run.
var newcomer = []string{"demo", "test"}

// freshSource is where a fresh machine has the project.
const freshSource = "/root/imaboot"

// inFresh runs ./run in the tree $1 with the file systems that a machine has.
// They and all processes are gone when it ends, since it is the first process
// of its own namespaces.
const inFresh = `set -e
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
cd "$1"
root=$1 source=$2
shift 2
exec chroot "$root" sh -ec 'cd "$0"; exec ./run "$@"' "$source" "$@"`

// fresh makes a Debian of a release with nothing in it, outside the work tree,
// and runs commands there as a newcomer would, on a clone of the last commit.
// An outcome is one command's.
func (c *checker) fresh(ctx context.Context, release string, commands []string) (outcomes []Outcome, err error) {
	if !slices.Contains(Releases, release) {
		return nil, fmt.Errorf("no fresh machine with %q, only with %s", release, strings.Join(Releases, " or "))
	}
	// A file system in memory would be too small.
	root, err := os.MkdirTemp("/var/tmp", "imaboot-fresh-"+release+"-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(root)) }()
	l, err := lab.New(c.out)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if err := l.Debootstrap(ctx, release, root); err != nil {
		return nil, err
	}
	if err := c.connect(ctx, root); err != nil {
		return nil, err
	}
	if err := c.command(ctx, nil, "git", "clone", "-q", "--no-hardlinks", c.dir, filepath.Join(root, freshSource)); err != nil {
		return nil, err
	}
	env, err := c.network(ctx)
	if err != nil {
		return nil, err
	}
	var stages []Stage
	for _, command := range commands {
		stages = append(stages, Stage{release + ": ./run " + command, func(ctx context.Context) error {
			args := append([]string{"-i", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, env...)
			args = append(args, "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inFresh, "sh", root, freshSource, command)
			return c.command(ctx, nil, "env", args...)
		}})
	}
	start := time.Now()
	outcomes = run(ctx, c.out, true, stages)
	var failed []error
	for _, o := range outcomes {
		if o.Err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", o.Name, o.Err))
		}
	}
	fmt.Fprintf(c.out, "fresh %s: %s\n", release, clock(time.Since(start)))
	return outcomes, errors.Join(failed...)
}

// connected are files and directories without which a machine of this network
// has no connection. They are copied where they exist.
var connected = []string{"/etc/resolv.conf", "/etc/hosts", "/usr/local/share/ca-certificates"}

// aptSetting matches the lines of apt-config dump that a new tree needs to reach
// the archives: proxies, and what apt must accept from a mirror that is a
// snapshot.
var aptSetting = regexp.MustCompile(`(?m)^Acquire::(?:Check-Valid-Until|Check-Date|Retries|\w+::Proxy\S*) ".*";$`)

// connect gives a tree this machine's way to the network.
func (c *checker) connect(ctx context.Context, root string) error {
	dump, err := c.output(ctx, "apt-config", "dump")
	if err != nil {
		return err
	}
	settings := strings.Join(aptSetting.FindAllString(dump, -1), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(root, "etc/apt/apt.conf.d/90host"), []byte(settings), 0o644); err != nil {
		return err
	}
	for _, name := range connected {
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		to := filepath.Join(root, name)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if info.IsDir() {
			err = os.CopyFS(to, os.DirFS(name))
		} else {
			var b []byte
			if b, err = os.ReadFile(name); err == nil {
				err = os.WriteFile(to, b, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// network are the variables that say how this machine gets at modules and
// packages.
func (c *checker) network(ctx context.Context) ([]string, error) {
	out, err := c.output(ctx, "go", "env", "-json", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOINSECURE")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	if err := json.Unmarshal([]byte(out), &values); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		values[name] = os.Getenv(name)
	}
	var env []string
	for name, v := range values {
		if v != "" {
			env = append(env, name+"="+v)
		}
	}
	slices.Sort(env)
	return env, nil
}
