// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package netboot asks DHCP servers for leases, and finds the configuration
// that a lease leads to. Package syslinux reads those of PXELINUX, package ipxe
// runs scripts.
//
// The DHCP client is u-root's (pkg/dhclient).
package netboot
