#!/bin/bash
# Copyright 2026 the imaboot Authors. All rights reserved
# Use of this source code is governed by a BSD-style
# license that can be found in the LICENSE file.
#
# The dracut module 90imaboot: keeps a list that imaboot carried.

# Whether there will be a list is not known when the initramfs is made, so that
# the module is always in.
check() {
	return 0
}

depends() {
	echo base
}

install() {
	inst_multiple cat mkdir mv
	# shellcheck disable=SC2154 # moddir is dracut's
	inst_hook cmdline 01 "$moddir/imaboot.sh"
}
