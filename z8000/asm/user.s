! SPDX-License-Identifier: BSD-2-Clause
!
! Processes that the node runs to measure its kernel. Each begins at a fixed place, does
! its work r13 times and ends by call 255. Segment 2, with data at 4000.

	.z8001

	.macro	end
	ld	r0,#255
	sc	#0
	.endm

	.org	0x0000			! nothing: what the loop itself costs
empty:	djnz	r13,empty
	end

	.org	0x0040			! null kernel call
null:	clr	r0
	sc	#0
	djnz	r13,null
	end

	.org	0x0080			! create a link, destroy it
link:	calr	make
	ld	r1,r0
	ld	r0,#2
	sc	#0
	djnz	r13,link
	end

	.org	0x00c0			! send r12 bytes to oneself and receive them
message:
	clr	r2
	calr	make2
	ld	r11,r0
m1:	calr	send
	calr	receive
	djnz	r13,m1
	end

	.org	0x0100			! read block 1
block:	ld	r0,#5
	ld	r1,#1
	ld	r2,#0x8200
	ld	r3,#0x4000
	sc	#0
	djnz	r13,block
	end

	.org	0x0140			! send to machine r10, wait for the answer
remote:	ld	r2,r10
	calr	make2
	ld	r11,r0
r1x:	calr	deliver
	calr	receive
	djnz	r13,r1x
	end

	.org	0x0180			! answer whatever comes
echo:	ld	r2,r10
	calr	make2
	ld	r11,r0
e1:	calr	receive
	calr	deliver
	jr	e1

	.org	0x01c0			! touch a word in each of r12 segments, over and over
touch:	ld	r3,#0x4000
	ld	r4,r12
	ld	r2,#0x8300
t1:	ld	@rr2,r4
	add	r2,#0x0100
	djnz	r4,t1
	djnz	r13,touch
	end

	.org	0x0200
! A link to channel 1 of machine r2 (make: of this one).
make:	clr	r2
make2:	ld	r0,#1
	ld	r1,#1
	ld	r3,#1
	clr	r4
	clr	r5
	clr	r6
	clr	r7
	sc	#0
	ret

send:	ld	r0,#3
	ld	r1,r11
	ld	r2,#0x8200
	ld	r3,#0x4000
	ld	r4,r12
	sc	#0
	ret

deliver:				! to another machine, however often it takes
	calr	send
	cp	r0,#0xffff
	jr	eq,deliver
	ret

receive:
	ld	r0,#4
	ld	r2,#0x8200
	ld	r3,#0x5000
	ld	r4,#1024
	ld	r5,#1
	sc	#0
	ret

	.org	0x0280			! 16 page maps in use, segment 3 once more by another
lru:	ld	r2,#0x8300		! page, a seventeenth segment; then that of r12
	ld	r3,#0x4000
	ld	r4,#15
lru1:	ld	@rr2,r4
	add	r2,#0x0100
	djnz	r4,lru1
	ld	r2,#0x8300
	ld	r3,#0x6000
	ld	@rr2,r4
	ld	r2,#0x9200
	ld	@rr2,r4
	ld	r2,r12
	ld	r3,#0x4000
	ld	@rr2,r4
	end
