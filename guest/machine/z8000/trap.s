! SPDX-License-Identifier: BSD-2-Clause
!
! The user processor in system mode, for the DEMOS kernel on the other side: physical
! segment 0. Every trap of a process ends in `enter`, which leaves the process's registers
! in the mailbox, interrupts the kernel processor and halts; the kernel's interrupt back
! loads whatever registers it has put there, so choosing another process is only that.
!
! MAILBOX: r0-r13, normal r14 r15, FCW, PC (segment, offset), the trap's identifier word,
! its reason (board.h), and GO, which the kernel sets when the registers are to be loaded.

	.z8001
	.equ	MAILBOX, 0x80001000
	.equ	NSP_SEG, MAILBOX+28
	.equ	NSP_OFF, MAILBOX+30
	.equ	FCW, MAILBOX+32
	.equ	PC_SEG, MAILBOX+34
	.equ	PC_OFF, MAILBOX+36
	.equ	IDENT, MAILBOX+38
	.equ	REASON, MAILBOX+40
	.equ	GO, MAILBOX+42
	.equ	STACK, 0x2000		! empty whenever a process runs or the kernel is waited for
	.equ	FRAME_FCW, 0x80001ffa	! in the frame of the first trap on it

	.org	0x0000			! reset: program status
	.word	0, 0xc000, 0x8000, start

	.org	0x0100			! program status area
	.word	0, 0, 0, 0
	.word	0, 0xc000, 0x8000, extended
	.word	0, 0xc000, 0x8000, privileged
	.word	0, 0xc000, 0x8000, call
	.word	0, 0xc000, 0x8000, segment
	.word	0, 0xc000, 0x8000, nmi
	.word	0, 0xc000, 0x8000, nvi

	.org	0x0200
start:	ld	r14,#0x8000
	ld	r15,#STACK
	ldctl	psapseg,r14
	ld	r0,#0x0100
	ldctl	psapoff,r0
	jr	wait

extended:
	ldm	MAILBOX,r0,#14
	ldk	r1,#1
	jr	enter
privileged:
	ldm	MAILBOX,r0,#14
	ldk	r1,#2
	jr	enter
call:	ldm	MAILBOX,r0,#14
	ldk	r1,#3
	jr	enter
segment:
	ldm	MAILBOX,r0,#14
	ldk	r1,#4
	jr	enter
nmi:	ldm	MAILBOX,r0,#14
	ldk	r1,#5
	jr	enter

! From the kernel processor: while a process runs, it wants the processor back; while we
! wait, GO says whether there is a process to go on with.
nvi:	bit	FRAME_FCW,#14
	jr	nz,back
	ldm	MAILBOX,r0,#14
	ldk	r1,#6

enter:	ld	REASON,r1
	ldctl	r0,nspseg
	ld	NSP_SEG,r0
	ldctl	r0,nspoff
	ld	NSP_OFF,r0
	ldm	r2,@rr14,#4
	inc	r15,#8
	ld	IDENT,r2
	ld	FCW,r3
	ld	PC_SEG,r4
	ld	PC_OFF,r5
	out	#0x0000,r0
wait:	ei	nvi
	halt
	jr	wait

back:	test	GO
	jr	nz,load
	iret
load:	clr	GO
	ld	r0,NSP_SEG
	ldctl	nspseg,r0
	ld	r0,NSP_OFF
	ldctl	nspoff,r0
	ld	r2,IDENT
	ld	r3,FCW
	ld	r4,PC_SEG
	ld	r5,PC_OFF
	ldm	@rr14,r2,#4
	ldm	r0,MAILBOX,#14
	iret
