// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

// Package netboot asks DHCP servers for leases, and reads the configurations
// of PXELINUX and iPXE that a lease leads to.
//
// The DHCP client is u-root's (pkg/dhclient). u-root's parsers of these
// configurations return open readers, but an entry needs the names of its
// files, so this package has parsers of its own.
package netboot
