! SPDX-License-Identifier: BSD-2-Clause
!
! The load of the paging experiment: four ordinary programs that never end, each a process
! with its code in segment 2, its data and stack in segment 3. Chosen and sized before any
! share was measured: 16 KB sorted, three matrices of 8 KB multiplied, a table of 32 KB
! counted into at random, 16 KB copied and searched.

	.z8001

	.org	0x0000
sort:	ld	r2,#0x8300
	clr	r3
s1:	calr	random
	ld	@rr2,r1
	inc	r3,#2
	cp	r3,#16384
	jr	ult,s1
	ld	r4,#8192		! gap, in bytes
s2:	ld	r5,r4
s3:	ld	r3,r5
	ld	r6,@rr2
	ld	r7,r5
s4:	ld	r8,r7
	sub	r8,r4
	jr	c,s5
	ld	r3,r8
	ld	r9,@rr2
	cp	r9,r6
	jr	ule,s5
	ld	r3,r7
	ld	@rr2,r9
	ld	r7,r8
	jr	s4
s5:	ld	r3,r7
	ld	@rr2,r6
	inc	r5,#2
	cp	r5,#16384
	jr	ult,s3
	srl	r4,#1
	cp	r4,#1
	jr	ugt,s2
	jr	sort

	.org	0x0200			! 64 by 64 words: at 0, at 8192, the product at 16384
matrix:	ld	r2,#0x8300
	clr	r4			! row of the first, in bytes
a1:	clr	r5			! column of the second
a2:	clr	r6
	ld	r7,r4
	ld	r8,r5
	add	r8,#8192
	ld	r9,#64
a3:	ld	r3,r7
	ld	r11,@rr2
	ld	r3,r8
	mult	rr10,@rr2
	add	r6,r11
	inc	r7,#2
	add	r8,#128
	djnz	r9,a3
	ld	r3,r4
	add	r3,r5
	add	r3,#16384
	ld	@rr2,r6
	inc	r5,#2
	cp	r5,#128
	jr	ult,a2
	add	r4,#128
	cp	r4,#8192
	jr	ult,a1
	jr	matrix

	.org	0x0400
count:	ld	r2,#0x8300
c1:	calr	random
	ld	r3,r1
	and	r3,#0x7ffe
	inc	@rr2,#1
	jr	c1

	.org	0x0600
text:	ld	r2,#0x8300
	ld	r4,#0x8300
	clr	r3
	inc	@rr2,#1
	ld	r5,#0x4000
	ld	r6,#0x4000
	ldirb	@rr4,@rr2,r6
	ld	r3,#0x4000
	ld	r6,#0x4000
	ldb	rl7,#0xff
	cpirb	rl7,@rr2,r6,eq
	jr	text

	.org	0x0800
random:	ld	r11,r1
	mult	rr10,#25173
	ld	r1,r11
	add	r1,#13849
	ret
