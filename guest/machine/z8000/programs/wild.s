! SPDX-License-Identifier: BSD-2-Clause
!
! Writes where it may not: `wild` into its own code, `wild x` where there is nothing,
! `wild x x` halts, which is for system mode only.

	.include "head.inc"
	program	main, 1, 1
	.include "demos.inc"

main:	ld	r0,START+18
	cp	r0,#2
	jr	eq,nothing
	jr	gt,stop
	ld	r2,#0x8100
	clr	r3
	ld	@rr2,r0
	jr	failed
nothing:
	ld	r2,#0x8500
	ld	r3,#0x1234
	push	@rr2,r0
	jr	failed
stop:	halt
failed:	ld	r4,#3
	calr	exit
