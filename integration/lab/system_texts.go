// Copyright 2026 the imaboot Authors. All rights reserved
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.

package lab

import "strings"

// Values of all systems.
const (
	machineID    = "5d2c8b0e9f1a4376b8e04c1d7a63f295"
	reporterPath = "/usr/sbin/imaboot-guest"
)

// configuration returns the texts of a system by path, and its commands. All
// placeholders are replaced.
func (s *system) configuration(arch, release string) (texts map[string]string, commands string) {
	fill := strings.NewReplacer(
		"{uuid}", s.rootUUID, "{release}", release, "{machine}", machineID, "{reporter}", reporterPath,
		// What an administrator chose besides root=.
		"{parameters}", "console="+platforms[arch].console+" ima_policy=tcb rootfstype=ext4 panic=-1",
	)
	texts = map[string]string{}
	for _, all := range []map[string]string{systemTexts, s.texts} {
		for name, text := range all {
			texts[fill.Replace(name)] = fill.Replace(text)
		}
	}
	return texts, fill.Replace(systemCommands + s.commands)
}

// systemTexts are files that the installer or the administrator would make.
var systemTexts = map[string]string{
	"etc/fstab":      "UUID={uuid} / ext4 errors=remount-ro 0 1\n",
	"etc/hostname":   "debian\n",
	"etc/hosts":      "127.0.0.1 localhost\n127.0.1.1 debian\n",
	"etc/machine-id": "{machine}\n",

	"etc/initramfs-tools/modules":    "virtio_pci\nvirtio_blk\next4\n",
	"etc/initramfs-tools/conf.d/lab": "MODULES=list\nCOMPRESSLEVEL=1\n",

	// graphical.target wants the service, so that it can run after
	// multi-user.target.
	"etc/systemd/system/imaboot-report.service": `[Unit]
Description=Report what IMA measured
After=multi-user.target

[Service]
Type=oneshot
ExecStart={reporter}
StandardOutput=tty
StandardError=tty

[Install]
WantedBy=graphical.target
`,
}

// systemCommands run in the tree. They do what the packages' scripts would have
// done, as far as it is needed. Documentation is removed, because it would only
// make the image larger. Services that are not needed to reach
// multi-user.target are masked: each program takes half a second to run under
// emulation. Nobody logs in, and logind would need a bus.
const systemCommands = `
rm -rf /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man
cp /usr/share/base-passwd/passwd.master /etc/passwd
cp /usr/share/base-passwd/group.master /etc/group
cp /usr/share/libc-bin/nsswitch.conf /etc/nsswitch.conf
ln -s /run /var/run
ln -s /run/lock /var/lock
systemd-sysusers
depmod {release}
mkinitramfs -o /boot/initrd.img-{release} {release}
systemctl enable imaboot-report.service
systemctl mask \
	getty.target systemd-logind.service \
	dev-mqueue.mount proc-sys-fs-binfmt_misc.automount \
	sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
	systemd-fsck-root.service systemd-journal-flush.service systemd-random-seed.service systemd-repart.service \
	systemd-sysusers.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
mkdir -p /etc/systemd/system-generators
for g in /lib/systemd/system-generators/*; do
	case $g in *-fstab-generator) ;; *) ln -s /dev/null "/etc/systemd/system-generators/${g##*/}" ;; esac
done
`

// grubCommands make the files that GRUB's package and grub-install leave
// behind, with the terminal that an administrator chooses on a machine without
// a screen. The real grub-probe looks at the root file system's disk, which
// does not exist yet. While the commands run, a replacement gives the answers
// that grub-probe would find.
const grubCommands = `
sed -e 's|^GRUB_CMDLINE_LINUX=.*|GRUB_CMDLINE_LINUX="{parameters}"|' -e 's|^#GRUB_TERMINAL=|GRUB_TERMINAL=|' \
	/usr/share/grub/default/grub >/etc/default/grub
mkdir -p /boot/grub
grub-editenv /boot/grub/grubenv create
mount -t tmpfs tmpfs /dev
mknod -m 666 /dev/null c 1 3
mkdir -p /dev/disk/by-uuid
touch /dev/vda2
ln -s ../../vda2 /dev/disk/by-uuid/{uuid}
cat >/run/grub-probe <<'EOF'
#!/bin/sh
while [ $# -gt 0 ]; do
	case $1 in
	-t) target=$2 ;;
	--target=*) target=${1#*=} ;;
	esac
	shift
done
case $target in
device) echo /dev/vda2 ;;
drive) echo '(hd0,msdos2)' ;;
compatibility_hint) echo hd0,msdos2 ;;
hints_string) echo "--hint-ieee1275='ieee1275//pci@800000020000000/scsi@1,msdos2' --hint-bios=hd0,msdos2 --hint-efi=hd0,msdos2 --hint-baremetal=ahci0,msdos2" ;;
partmap) echo msdos ;;
fs) echo ext2 ;;
fs_uuid) echo {uuid} ;;
abstraction) ;;
*) exit 1 ;;
esac
EOF
chmod 755 /run/grub-probe
mount --bind /run/grub-probe /usr/sbin/grub-probe
grub-mkconfig -o /boot/grub/grub.cfg
`

// ziplTexts are files of s390x: the configuration that an installer writes for
// zipl, and beside it an entry as zipl-switch-to-blscfg would make it, a
// program that Debian does not package. zipl accepts both, but not together
// with a menu: entries need the target of [defaultboot]. zipl itself does not
// run, since it needs the device.
var ziplTexts = map[string]string{
	"etc/kernel-img.conf": "do_symlinks = yes\nlink_in_boot = yes\n",
	"etc/zipl.conf": `# See zipl.conf(5)
[defaultboot]
default = debian
target = /boot

[debian]
target = /boot
image = /boot/vmlinuz
ramdisk = /boot/initrd.img
parameters = "root=UUID={uuid} {parameters} quiet"
`,
	"boot/loader/entries/{machine}-{release}.conf": `title Debian GNU/Linux 12 (bookworm)
version {release}
linux /boot/vmlinuz-{release}
initrd /boot/initrd.img-{release}
options root=UUID={uuid} {parameters} quiet
`,
}

const ziplCommands = `
linux-update-symlinks install {release} /boot/vmlinuz-{release}
`
