/*
 * Copyright 2026 the imaboot Authors. All rights reserved
 * Use of this source code is governed by a BSD-style
 * license that can be found in the LICENSE file.
 *
 * The trampoline of amd64. The running kernel enters it as the last step of a
 * kexec, in 64-bit mode, with interrupts off, an identity mapping of all
 * segments, and zeros in the general registers. The next kernel needs the
 * address of struct boot_params in rsi.
 *
 * Kernels before 6.15 enter it with a GDT of no entries, so that it loads its
 * own before it touches a segment register. Its selectors are those that the
 * boot protocol asks for.
 *
 * The code is position independent, fills the front of one page, and uses the
 * end of that page as its stack. Assemble it with x86_64-linux-gnu-as and
 * objcopy -O binary -j .text.
 */
	.set	PAGE, 4096
	.set	CODE, 0x10
	.set	DATA, 0x18

	.text
	.code64
start:
	cli
	cld
	leaq	start + PAGE(%rip), %rsp
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_base(%rip)
	lgdt	gdt_limit(%rip)
	movl	$DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs

	/* A far return loads the code selector. */
	pushq	$CODE
	leaq	here(%rip), %rax
	pushq	%rax
	lretq
here:
	movq	params(%rip), %rsi
	movq	kernel(%rip), %rax
	jmp	*%rax

	.balign	8
gdt:		.quad	0, 0
		.quad	0x00af9b000000ffff	/* code, 64 bits */
		.quad	0x00cf93000000ffff	/* data, flat */
gdt_end:
		.word	0, 0, 0			/* aligns the base */
gdt_limit:	.word	gdt_end - gdt - 1
gdt_base:	.quad	0

params:		.quad	0
kernel:		.quad	0
