! SPDX-License-Identifier: BSD-2-Clause
!
! Says so on the console.

	.include "head.inc"
	program	main, 1, 1
	.include "demos.inc"

main:	ldar	rr8,text
	calr	print
	clr	r4
	calr	exit
failed:	ld	r4,#1
	calr	exit
text:	.asciz	"hello from a Z8001\n"
	.even
