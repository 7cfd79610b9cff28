// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"

	"github.com/u-root/u-root/pkg/dt"

	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/archdesc"
)

// capturedFiles are the files below / that a plan for a PC needs.
var capturedFiles = []string{
	"sys/kernel/boot_params/data",
	"sys/firmware/memmap/*/*",
	"sys/firmware/efi/systab", "sys/firmware/efi/fw_vendor", "sys/firmware/efi/config_table",
	"sys/firmware/efi/runtime-map/*/*",
}

// capture reports what pkg/archdesc keeps of a machine in testdata.
func (g *guest) capture() error {
	m, err := archdesc.ReadMachine("/", runtime.GOARCH, os.Getpagesize())
	if err != nil {
		return err
	}
	iomem, err := os.ReadFile("/proc/iomem")
	if err != nil {
		return err
	}
	var blob bytes.Buffer
	if m.Tree != nil {
		tree := dt.FDT{Header: dt.Header{Magic: uint32(dt.Magic), Version: 17, LastCompVersion: 16}, RootNode: m.Tree}
		if _, err := tree.Write(&blob); err != nil {
			return err
		}
	}
	files := map[string][]byte{}
	for _, pattern := range capturedFiles {
		names, err := filepath.Glob("/" + pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if files[name], err = os.ReadFile(name); err != nil {
				return err
			}
		}
	}
	b, err := json.Marshal(map[string]any{
		"page_size": m.PageSize, "boot_cpu": m.BootCPU, "cmdline": m.Cmdline,
		"iomem": iomem, "device_tree": blob.Bytes(), "files": files,
	})
	if err != nil {
		return err
	}
	g.emit(script.Event{Event: "capture", Data: b})
	return nil
}
