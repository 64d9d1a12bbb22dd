! SPDX-License-Identifier: BSD-2-Clause
!
! `echo` announces itself to the cluster's switchboard and answers every request with nothing.
! `echo N SIZE` calls it N times with SIZE bytes (at most 1024), one call after the other.

	.include "head.inc"
	.equ	SERVICE, KEEP
	.equ	COUNT, KEEP+16
	.equ	SIZE, KEEP+18
	.equ	BULK, 0x0400		! in segment 2
	program	main, 2, 1
	.include "demos.inc"
	.include "numbers.inc"

main:	clr	r6
	ldk	r7,#1
	calr	argument
	ld	COUNT,r6
	ldk	r7,#2
	clr	r6
	calr	argument
	ld	SIZE,r6
	cp	r6,#1024
	check	ule
	ld	r0,COUNT
	test	r0
	jr	nz,calls
	calr	serve

! Calls.
calls:	calr	no_links
	ldk	r0,#3			! SWITCHBOARD_FIND
	ldk	r1,#1			! SWITCHBOARD_WAIT
	ldar	rr8,echo_name
	calr	board
	ldb	rl0,INFO_COUNT
	cpb	rl0,#1
	check	eq
	ldm	r4,INFO_LINKS,#4
	ldm	SERVICE,r4,#4
call:	calr	no_links
	calr	fresh
	ldm	r4,SERVICE,#4
	quad	0
	pointer	1,BULK
	ld	r0,SIZE
	ld	ARGS+16+2,#ROOM
	ld	ARGS+16+6,r0
	pointer	3,0x0100
	pointer	4,0x0040
	forever	5
	kernel	CALL
	test	r0
	check	pl
	ld	r1,COUNT
	dec	r1,#1
	ld	COUNT,r1
	jr	nz,call
	ldar	rr8,done
	calr	print
	clr	r4
	calr	exit

! Answers.
serve:	calr	fresh
	ld	ARGS+2,#1		! channel 1
	ld	ARGS+6,#0x0301		! REQUEST, DUP and GIVE
	kernel	CREATELINK
	ldm	SERVICE,r0,#4
	calr	no_links
	ldm	r4,SERVICE,#4
	ldm	INFO_LINKS,r4,#4
	ldb	INFO_COUNT,#1
	ldk	r0,#1			! SWITCHBOARD_ANNOUNCE
	ldk	r1,#4			! SWITCHBOARD_GLOBAL
	ldar	rr8,echo_name
	calr	board
next:	calr	fresh
	number	0,2			! channel 1
	pointer	1,BULK
	number	2,1024
	pointer	3,0x0040
	forever	4
	kernel	RECEIVE
	test	INFO_REPLY+6
	jr	z,next
	ldm	r4,INFO_REPLY,#4
	ldm	SERVICE,r4,#4
	calr	no_links
	calr	fresh
	ldm	r4,SERVICE,#4
	quad	0
	pointer	1,0x0080
	pointer	3,0x0040
	forever	4
	kernel	REPLY
	jr	next

	failing	"echo: went wrong"
done:	.asciz	"echo: all answered\n"
	.even
echo_name:
	.ascii	"echo"
	.space	20
