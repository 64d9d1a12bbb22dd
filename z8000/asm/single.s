! SPDX-License-Identifier: BSD-2-Clause
!
! The trap entry of a machine with one processor, in stub.s's place: a kernel call is its trap and
! the routine itself, nobody is interrupted. What the second processor costs is the difference.
! Only calls that need no port; the process ends by call 255.

	.z8001
	.equ	CALLS, 0x80000180	! of kernel.s
	.equ	KNOWN, 5
	.equ	STOPPED, 0x80002000

	.org	0x0100			! program status area
	.word	0, 0, 0, 0
	.word	0, 0xc000, 0x8100, stop	! extended instruction
	.word	0, 0xc000, 0x8100, stop	! privileged instruction
	.word	0, 0xc000, 0x8100, call	! system call
	.word	0, 0xc000, 0x8100, stop	! segment trap
	.word	0, 0xc000, 0x8100, stop	! NMI
	.word	0, 0xc000, 0x8100, stop	! NVI

	.org	0x0200
call:	cp	r0,#KNOWN
	jr	uge,stop
	sub	r15,#12
	ldm	@rr14,r8,#6
	ld	r10,r0
	add	r10,r10
	ld	r9,CALLS(r10)
	ld	r8,#0x8000
	call	@rr8
	ldm	r8,@rr14,#6
	add	r15,#12
	iret

stop:	ld	STOPPED,#1
over:	halt
	jr	over
