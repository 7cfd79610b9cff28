/*
 * Copyright 2026 the imaboot Authors. All rights reserved
 * Use of this source code is governed by a BSD-style
 * license that can be found in the LICENSE file.
 *
 * The trampoline of ppc64le. The running kernel enters it as the last step of
 * a kexec, with the MMU off and this CPU's hardware id in r3.
 *
 * The running kernel copies the first 256 bytes of the entry to physical
 * address 0 and lets the other CPUs spin at 0x60 there. They must find the
 * next kernel's code, so imaboot replaces bytes 4 to 0xff by that code.
 *
 * The code is position independent, uses no stack, and is little-endian like
 * its caller. Assemble it with powerpc64le-linux-gnu-as and
 * objcopy -O binary -j .text.
 */
	.machine power8
	.text
start:
	b	body
	.org	start + 0x100
body:
	mr	15, 3
	bcl	20, 31, here
here:	mflr	14

	/*
	 * Wait until the other CPUs have left the old kernel's code for 0x60:
	 * 2^26 ticks of the timebase, 131 ms. On a busy host, a virtual CPU may
	 * wait that long for a real one.
	 */
	mftb	5
	lis	6, 0x400
	add	5, 5, 6
delay:	mftb	6
	cmpld	6, 5
	blt	delay

	/* boot_cpuid_phys, a big-endian word at offset 28 of the FDT. */
	ld	3, fdt - here(14)
	li	6, 28
	stwbrx	15, 3, 6

	ld	4, kernel - here(14)
	ld	8, opal_base - here(14)
	ld	9, opal_entry - here(14)
	li	5, 0		/* not Open Firmware */

	/* Enter the kernel big-endian, as firmware does: clear MSR[LE]. */
	mfmsr	6
	clrrdi	6, 6, 1
	mtsrr0	4
	mtsrr1	6
	rfid

	.balign	8
fdt:		.quad	0
kernel:		.quad	0
opal_base:	.quad	0
opal_entry:	.quad	0
