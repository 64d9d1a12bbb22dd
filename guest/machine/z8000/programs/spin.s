! SPDX-License-Identifier: BSD-2-Clause
!
! Computes for two million clocks, a second at 2 MHz, and ends.

	.include "head.inc"
	program	main, 1, 1
	.include "demos.inc"

main:	ldk	r2,#10
s1:	ld	r1,#18180
s2:	djnz	r1,s2
	djnz	r2,s1
	clr	r4
	calr	exit
failed:	ld	r4,#1
	calr	exit
