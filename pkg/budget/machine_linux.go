// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package budget

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	machinesMu sync.Mutex
	machines   = map[string]*Memory{}
)

// Machine returns the budget of the machine whose proc file system is below
// root (normally "/"): three quarters of the memory that was available when it
// was first asked for. All callers share it, since they share the memory.
func Machine(root string) *Memory {
	machinesMu.Lock()
	defer machinesMu.Unlock()
	root = filepath.Clean(root)
	if machines[root] == nil {
		machines[root] = New(usable(root))
	}
	return machines[root]
}

// usable leaves a quarter to the heap, to the list and to other processes.
// Without proc/meminfo, half of the running machine's memory is usable. The
// limit of the process's addresses (ulimit -v) must leave room for the heap,
// which reserves far more addresses than memory.
func usable(root string) int64 {
	n := int64(0)
	text, err := os.ReadFile(filepath.Join(root, "proc/meminfo"))
	if err == nil {
		n = available(string(text))
	}
	if n == 0 {
		n = total() / 2
	}
	var addresses unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &addresses); err == nil && addresses.Cur < math.MaxInt64 {
		n = min(n, int64(addresses.Cur/4))
	}
	return n
}

// available reads proc/meminfo (Documentation/filesystems/proc.rst). Kernels
// before 3.14 do not say what is available. 0 means that the text says nothing.
func available(meminfo string) int64 {
	sizes := map[string]int64{}
	for line := range strings.Lines(meminfo) {
		name, value, _ := strings.Cut(line, ":")
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 53)
		if err == nil {
			sizes[name] = kib << 10
		}
	}
	if n, ok := sizes["MemAvailable"]; ok {
		return n / 4 * 3
	}
	return sizes["MemTotal"] / 2
}

// total is the memory of the running machine in bytes.
func total() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}
