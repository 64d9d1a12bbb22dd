! SPDX-License-Identifier: BSD-2-Clause
!
! The user processor in system mode: what stands at physical segment 1 and is entered by
! the system call trap. It leaves the arguments in the mailbox, interrupts the kernel
! processor, halts, and returns to the process when it is interrupted itself.
!
! r0 is the call's number, r1-r7 its arguments; r0 and what follows come back changed.

	.z8001
	.equ	MAILBOX, 0x81001000

	.org	0x0100			! program status area
	.word	0, 0, 0, 0
	.word	0, 0xc000, 0x8100, stop	! extended instruction
	.word	0, 0xc000, 0x8100, stop	! privileged instruction
	.word	0, 0xc800, 0x8100, call	! system call: NVI enabled while waiting
	.word	0, 0xc000, 0x8100, stop	! segment trap
	.word	0, 0xc000, 0x8100, stop	! NMI
	.word	0, 0xc000, 0x8100, done	! NVI: from the kernel processor

	.org	0x0200
call:	ldm	MAILBOX,r0,#8
	out	#0x0000,r0
wait:	halt
	jr	wait

! The frame of the halt goes; the call's own is what iret takes.
done:	inc	r15,#8
	ldm	r0,MAILBOX,#8
	iret

! The process is over: call 255 says so, nothing comes back.
stop:	ld	r0,#255
	ldm	MAILBOX,r0,#8
	out	#0x0000,r0
over:	halt
	jr	over
