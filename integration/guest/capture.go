// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime"

	"github.com/u-root/u-root/pkg/dt"

	"github.com/imaboot/imaboot/integration/script"
	"github.com/imaboot/imaboot/pkg/archdesc"
)

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
	b, err := json.Marshal(map[string]any{
		"page_size": m.PageSize, "boot_cpu": m.BootCPU, "cmdline": m.Cmdline,
		"iomem": iomem, "device_tree": blob.Bytes(),
	})
	if err != nil {
		return err
	}
	g.emit(script.Event{Event: "capture", Data: b})
	return nil
}
