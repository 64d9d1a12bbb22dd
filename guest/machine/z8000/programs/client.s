! SPDX-License-Identifier: BSD-2-Clause
!
! A client of the counter server (guest/programs/counter.h), wherever that is and whatever
! it runs on: waits until the cluster's switchboard knows it, opens a counter, counts to 10.

	.include "head.inc"
	.equ	SERVICE, KEEP
	.equ	COUNTER, KEEP+8
	.equ	COUNT, KEEP+16
	program	main, 1, 1
	.include "demos.inc"

main:	calr	no_links
	ldk	r0,#3			! SWITCHBOARD_FIND
	ldk	r1,#1			! SWITCHBOARD_WAIT
	ldar	rr8,counter_name
	calr	board
	ldb	rl0,INFO_COUNT
	cpb	rl0,#1
	check	eq
	ldm	r4,INFO_LINKS,#4
	ldm	SERVICE,r4,#4
	calr	empty_body
	ld	BODY+6,#1		! COUNTER_OPEN
	calr	no_links
	ldm	r4,SERVICE,#4
	ldk	r8,#8
	calr	ask
	ldb	rl0,INFO_COUNT
	cpb	rl0,#1
	check	eq
	ldm	r4,INFO_LINKS,#4
	ldm	COUNTER,r4,#4
	clr	r0
	ld	COUNT,r0
up:	calr	empty_body
	ld	BODY+6,#2		! COUNTER_UP
	ld	BODY+14,#1
	calr	no_links
	ldm	r4,COUNTER,#4
	ld	r8,#16
	calr	ask
	ld	r1,COUNT
	inc	r1,#1
	ld	COUNT,r1
	ld	r0,ANSWER+14
	cp	r0,r1
	check	eq
	cp	r1,#10
	jr	ne,up
	ldar	rr8,done
	calr	print
	clr	r4
	calr	exit
	failing	"client: went wrong"
done:	.asciz	"client: counted to 10\n"
	.even
counter_name:
	.ascii	"counter"
	.space	17
