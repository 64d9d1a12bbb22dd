! SPDX-License-Identifier: BSD-2-Clause
!
! `+kernel@N kill kernel@N NAME`: ends the first process of that name on the node whose kernel the
! link leads to.

	.include "head.inc"
	.equ	ROW, KEEP
	.equ	KERNEL, KEEP+8
	.equ	LINK, KEEP+16		! names of 24 bytes, zero behind them
	.equ	NAME, KEEP+40
	.equ	ROWS, 64
	program	main, 1, 1
	.include "demos.inc"

main:	ld	r0,START+18		! argc
	cp	r0,#3
	check	eq
	ld	r2,#0xff00
	ld	r3,START+22
m1:	ldb	rl0,@rr2		! over our own name
	inc	r3,#1
	testb	rl0
	jr	nz,m1
	ldl	rr8,#LINK
	calr	text
	ldl	rr8,#NAME
	calr	text
	ldl	rr8,#LINK
	calr	find_link
	check	nz
	ldm	KERNEL,r4,#4
	clr	r0
	ld	ROW,r0

next:	calr	empty_body
	say	0,0,9			! KERNEL_OP_CONTROL
	ld	r0,ROW
	ld	BODY+14,r0
	ldl	rr2,#BODY+16
	ldl	rr8,#NAME
	ld	r1,#12
	ldir	@rr2,@rr8,r1
	calr	no_links
	ldm	r4,KERNEL,#4
	ld	r8,#40
	calr	ask
	test	r0
	check	pl
	ld	r0,ANSWER
	test	r0
	jr	pl,end
	ld	r0,ROW
	inc	r0,#1
	ld	ROW,r0
	cp	r0,#ROWS
	check	ult
	jr	next

end:	ldm	r4,INFO_LINKS,#4
	ldm	KERNEL,r4,#4
	calr	empty_body
	say	0,0,0x108		! CONTROL_KILL
	calr	no_links
	ldm	r4,KERNEL,#4
	ld	r8,#8
	calr	asked
	clr	r4
	calr	exit

! The argument at rr2, which goes on to the next, into the zeroed name at rr8.
text:	ld	r1,#23
x1:	ldb	rl0,@rr2
	inc	r3,#1
	testb	rl0
	ret	z
	ldb	@rr8,rl0
	inc	r9,#1
	djnz	r1,x1
	calr	failed

	failing	"kill: no such process"
