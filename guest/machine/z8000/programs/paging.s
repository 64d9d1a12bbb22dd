! SPDX-License-Identifier: BSD-2-Clause
!
! `+kernel paging [PAGES]`: has this node page to the pager that the switchboard knows
! (guest/servers/vm), on another machine; waits for it to be announced. `+kernel +disk paging`:
! to the board's own disk. What was started before keeps its memory.

	.include "head.inc"
	.equ	PAGER, KEEP
	.equ	PAGES, KEEP+8
	program	main, 1, 1
	.include "demos.inc"
	.include "numbers.inc"

main:	ld	r6,#512
	ldk	r7,#1
	calr	argument
	ld	PAGES,r6
	ldar	rr8,disk_name
	calr	find_link
	jr	z,away
	ldm	PAGER,r4,#4
	jr	tell
away:	calr	no_links
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
tell:	calr	empty_body
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
	calr	asked
	clr	r4
	calr	exit

! The answer brought one link, or the program fails.
one_link:
	ldb	rl0,INFO_COUNT
	cpb	rl0,#1
	check	eq
	ret

	failing	"paging: no pager, or no room there"
	.even
pager_name:
	.ascii	"pager"
	.space	19
disk_name:
	.ascii	"disk"
	.space	20
kernel_name:
	.ascii	"kernel"
	.space	18
