! SPDX-License-Identifier: BSD-2-Clause
!
! Writes and checks 63 KB, three times round, or with an argument until it is ended: with less memory
! than that on its node it shows paging at work. Each word is its address times 40503, plus the round.

	.include "head.inc"
	.equ	ROUND, KEEP
	.equ	FIRST, 0x0400
	program	main, 64, 1
	.include "demos.inc"

main:	clr	r0
	ld	ROUND,r0
round:	ld	r2,#0x8200
	ld	r3,#FIRST
word:	ld	r0,@rr2			! what the round before left
	ld	r1,ROUND
	test	r1
	jr	z,zero
	calr	value
	dec	r5,#1
	cp	r0,r5
	check	eq
	jr	write
zero:	test	r0
	check	eq
write:	ld	r1,ROUND
	calr	value
	ld	@rr2,r5
	inc	r3,#2
	jr	nz,word			! to the end of the segment
	inc	r1,#1
	ld	ROUND,r1
	ld	r0,START+18		! argc
	cp	r0,#1
	jr	ugt,round
	cp	r1,#3
	jr	ne,round
	ldar	rr8,done
	calr	print
	clr	r4
	calr	exit

! Of the word at r3 in round r1: r5; r4 is lost.
value:	ld	r5,r3
	mult	rr4,#-25033
	add	r5,r1
	ret

	failing	"large: a word is wrong"
done:	.asciz	"large: 3 times round 63 KB, all as it was written\n"
	.even
