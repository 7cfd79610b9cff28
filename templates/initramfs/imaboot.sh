#!/bin/sh
# Copyright 2026 the imaboot Authors. All rights reserved
# Use of this source code is governed by a BSD-style
# license that can be found in the LICENSE file.
#
# Copies the list that imaboot put into the initramfs from /imaboot to
# /run/imaboot: /run is moved to the real root, all else is deleted.
#
# initramfs-tools runs this in init-top, dracut sources it as a cmdline hook.
# Both do so as soon as /run is mounted and before udev starts, so that nothing
# a device or the network brings has run by then.
#
# It uses only commands that klibc has too, which is all there is without
# busybox: there is no cp, chmod, rm or install.

# initramfs-tools asks for what has to run before.
case ${1-} in prereqs) exit 0 ;; esac

# A subshell, since dracut's own shell must keep its umask and go on.
(
	# At this priority "quiet" does not hide it, and the journal keeps it.
	say() {
		echo "<3>imaboot: $*" >/dev/kmsg || echo "imaboot: $*" >&2
	}

	[ -e /imaboot ] || [ -L /imaboot ] || exit 0
	# Who made the files is unknown until the list is replayed: no link is
	# followed, or any file of the initramfs could be taken for them.
	if [ -L /imaboot ] || [ ! -d /imaboot ]; then
		say "/imaboot is no directory: no list is kept"
		exit 0
	fi

	umask 077
	# It fails as well if there is a link of that name. What is already there
	# did not come from here, and stays as it is.
	if ! mkdir /run/imaboot; then
		say "/run/imaboot exists already or cannot be made: no list is kept"
		exit 0
	fi

	umask 377
	for f in measurements handover.json eventlog; do
		# What was not sent is not missed here, but where it is read.
		[ -e "/imaboot/$f" ] || [ -L "/imaboot/$f" ] || continue
		if [ -L "/imaboot/$f" ] || [ ! -f "/imaboot/$f" ]; then
			say "/imaboot/$f is no regular file and is not kept"
		# Under its name a file is always whole.
		elif ! { cat "/imaboot/$f" >"/run/imaboot/.$f" && mv "/run/imaboot/.$f" "/run/imaboot/$f"; }; then
			say "/imaboot/$f cannot be copied to /run/imaboot and is not kept"
			# Others need the memory.
			true >"/run/imaboot/.$f"
		fi
	done
)
# Whatever happened, the boot goes on.
true
