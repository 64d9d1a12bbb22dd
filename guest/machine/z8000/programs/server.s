! SPDX-License-Identifier: BSD-2-Clause
!
! The counter server (guest/programs/counter.h) on a Z8000: announces itself as "counter"
! to the cluster's switchboard and keeps up to 64 counters of 64 bits, for ever. The code of
! a counter's link is its offset among them.

	.include "head.inc"
	.equ	NEXT, KEEP		! offset of the next counter; 8 is the first
	.equ	MOST, 8*64
	.equ	COUNTERS, 0x82000400
	program	main, 2, 1
	.include "demos.inc"

main:	ldk	r0,#8
	ld	NEXT,r0
	ld	r4,#0x0301		! REQUEST, DUP and GIVE
	clr	r5
	calr	make_link
	calr	no_links
	ldm	r4,KEEP+8,#4
	ldm	INFO_LINKS,r4,#4
	ldb	INFO_COUNT,#1
	ldk	r0,#1			! SWITCHBOARD_ANNOUNCE
	ldk	r1,#4			! SWITCHBOARD_GLOBAL
	ldar	rr8,counter_name
	calr	board

serve:	calr	fresh
	number	0,2			! channel 1
	pointer	1,0x0100
	number	2,ROOM
	pointer	3,0x0040
	forever	4
	kernel	RECEIVE
	test	INFO_REPLY+6
	jr	z,serve
	calr	handle
	ldm	r4,INFO_REPLY,#4
	pushl	@rr14,rr4
	pushl	@rr14,rr6
	calr	no_links
	test	r11			! a link to pass?
	jr	z,answer
	ldm	r4,KEEP+8,#4
	ldm	INFO_LINKS,r4,#4
	ldb	INFO_COUNT,#1
answer:	calr	fresh
	popl	rr6,@rr14
	popl	rr4,@rr14
	quad	0
	pointer	1,0x0080
	number	2,16
	pointer	3,0x0040
	forever	4
	kernel	REPLY
	jr	serve

! The request in ANSWER: result and value in BODY, r11 says whether a link goes with it.
handle:	calr	empty_body
	clr	r11
	ld	r0,ANSWER+6
	cp	r0,#1
	jr	eq,open
	ld	r10,INFO+6		! the link's code
	cp	r10,#MOST
	jr	ugt,refuse
	test	r10
	jr	z,refuse
	ldl	rr8,#COUNTERS
	add	r9,r10
	ldm	r4,@rr8,#4
	cp	r0,#3
	jr	eq,tell
	cp	r0,#2
	jr	ne,refuse
	addl	rr6,ANSWER+12
	ldl	rr2,ANSWER+8
	adc	r5,r3
	adc	r4,r2
	ldm	@rr8,r4,#4
tell:	ldm	BODY+8,r4,#4
	ret

open:	ld	r5,NEXT
	cp	r5,#MOST
	jr	ugt,refuse
	inc	NEXT,#8
	ld	r4,#0x0201		! REQUEST, GIVE
	calr	make_link
	ldk	r11,#1
	ret

refuse:	ldl	rr2,#BODY
	ld	r0,#-1
	ldk	r1,#4
r1x:	ld	@rr2,r0			! DEMOS_E_CALL
	inc	r3,#2
	djnz	r1,r1x
	ret

! A link to us: attributes and kind r4, code r5. In KEEP+8.
make_link:
	pushl	@rr14,rr4
	calr	fresh
	popl	rr4,@rr14
	ld	ARGS+2,#1
	ld	ARGS+6,r4
	ld	ARGS+14,r5
	kernel	CREATELINK
	ldm	KEEP+8,r0,#4
	ret

failed:	ld	r4,#1
	calr	exit

counter_name:
	.ascii	"counter"
	.space	17
