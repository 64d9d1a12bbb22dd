! SPDX-License-Identifier: BSD-2-Clause
!
! `pair [N]`: two processes, the second made from the first one's own code and, with N,
! moved to node N on the way. A process born with a link named parent is the second.

	.include "head.inc"
	.equ	ENTRY_LOW, main
	.equ	STACK_LOW, 0xfffe
	.equ	IMAGE_LEN, end
image:	program	main, 4, 4
	.include "demos.inc"
	.include "pair.inc"

main:	ldar	rr8,parent_name
	calr	find_link
	jr	nz,second
	calr	first

second:	ldm	KEEP,r4,#4
	calr	fresh
	ld	ARGS+2,#1		! channel 1, REQUEST, GIVE and both rights to the area
	ld	ARGS+6,#0x6201
	pointer	2,OUT_AT
	number	3,AREA
	kernel	CREATELINK
	ldm	KEEP+8,r0,#4
	calr	no_links
	ldm	r4,KEEP+8,#4
	ldm	INFO_LINKS,r4,#4
	ldb	INFO_COUNT,#1
	calr	fresh
	ldm	r4,KEEP,#4
	quad	0
	pointer	3,0x0040
	forever	4
	kernel	SEND
serve:	calr	listen
	ld	r1,ANSWER+6
	inc	r1,#1
	ld	ANSWER+6,r1
	calr	fresh
	ldm	r4,INFO_REPLY,#4
	quad	0
	pointer	1,0x0100
	number	2,8
	forever	4
	kernel	REPLY
	jr	serve
end:
