! SPDX-License-Identifier: BSD-2-Clause
!
! `+kernel paging [PAGES]`: has this node page to the pager that the switchboard knows
! (guest/servers/vm), on another machine; waits for it to be announced. What was started before
! keeps its memory.

	.include "head.inc"
	.equ	PAGER, KEEP
	.equ	PAGES, KEEP+8
	program	main, 1, 1
	.include "demos.inc"

main:	calr	pages
	calr	no_links
	ldk	r0,#3			! SWITCHBOARD_FIND
	ldk	r1,#1			! SWITCHBOARD_WAIT
	ldar	rr8,pager_name
	calr	board
	calr	one_link
	ldm	r4,INFO_LINKS,#4
	ldm	PAGER,r4,#4
	calr	empty_body
	ld	BODY+6,#1		! PAGER_OPEN
	ld	r0,PAGES
	ld	BODY+14,r0
	calr	no_links
	ldm	r4,PAGER,#4
	ld	r8,#16
	calr	ask
	test	r0
	check	pl
	calr	one_link
	ldm	r4,INFO_LINKS,#4
	ldm	PAGER,r4,#4
	calr	empty_body
	ld	BODY+6,#6		! KERNEL_OP_PAGER, its queues
	calr	no_links
	ldm	r4,PAGER,#4
	ldm	INFO_LINKS,r4,#4
	ldb	rl0,#1
	ldb	INFO_COUNT,rl0
	ldar	rr8,kernel_name
	calr	find_link
	check	nz
	ld	r8,#16
	calr	ask
	test	r0
	check	pl
	ld	r0,ANSWER
	test	r0
	check	pl
	clr	r4
	calr	exit

! The answer brought one link, or the program fails.
one_link:
	ldb	rl0,INFO_COUNT
	cpb	rl0,#1
	check	eq
	ret

! PAGES from the first argument, 512 without.
pages:	ld	r6,#512
	ld	r1,START+18		! argc
	cp	r1,#2
	jr	lt,pg3
	ld	r2,#0xff00
	ld	r3,START+22
pg1:	ldb	rl0,@rr2		! over the program's name
	inc	r3,#1
	testb	rl0
	jr	nz,pg1
	clr	r6
pg2:	ldb	rl0,@rr2
	inc	r3,#1
	testb	rl0
	jr	z,pg3
	clrb	rh0
	sub	r0,#48
	cp	r0,#10
	check	ult
	ld	r5,r6
	mult	rr4,#10
	ld	r6,r5
	add	r6,r0
	jr	pg2
pg3:	ld	PAGES,r6
	ret

failed:	ldar	rr8,wrong
	calr	print
	ld	r4,#1
	calr	exit
wrong:	.asciz	"paging: no pager, or no room there\n"
	.even
pager_name:
	.ascii	"pager"
	.space	19
kernel_name:
	.ascii	"kernel"
	.space	18
