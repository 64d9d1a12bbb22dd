! SPDX-License-Identifier: BSD-2-Clause
!
! The kernel processor's side: interrupt entry, kernel calls (null, links, messages, disk
! blocks), page faults, packets. Straight code as a careful person writes it by hand, for
! clocks that are measured; nothing is slowed down or left out to meet a figure.

	.z8001
	.equ	MAILBOX, 0x81001000	! the call's registers, in the stub's segment
	.equ	M, 0x80000000		! offset 0 of segment 0, as a long address
	.equ	R_CAUSE, 0x00
	.equ	R_FAULT, 0x02
	.equ	R_OFFSET, 0x04
	.equ	R_REASON, 0x06
	.equ	R_RELEASE, 0x08
	.equ	R_TO_USER, 0x0a
	.equ	R_PROCESS, 0x0c
	.equ	R_SEGMENT, 0x10
	.equ	R_SEGMENT_ENTRY, 0x12
	.equ	R_PAGE, 0x14
	.equ	R_FRAME, 0x16
	.equ	R_PAGE_ENTRY, 0x18
	.equ	R_NETWORK, 0x20
	.equ	R_NETWORK_STATUS, 0x22
	.equ	R_DISK, 0x24
	.equ	R_DISK_STATUS, 0x26
	.equ	CALLS, 8
	.equ	LINKS, 64		! of 16 bytes: state or next free one, then 7 words
	.equ	BUFFERS, 8		! of a header and 1024 bytes of data
	.equ	BUFFER, 1048
	.equ	MOST, 1024
	.equ	NONE, 0xffff
	.equ	USED, 1
	.equ	MAPS, 16

! A buffer: the next one, then what goes over the line. An acknowledgement ends behind CHECK.
	.equ	FRAME, 2
	.equ	KIND, 2
	.equ	TO, 4			! machines; to 0 is this one
	.equ	FROM, 6
	.equ	SEQUENCE, 8
	.equ	DONE, 10		! the last sequence number that came in order
	.equ	LENGTH, 12		! of the data
	.equ	CHECK, 14		! makes the sum of all words 0
	.equ	CHANNEL, 16
	.equ	PROCESS, 18
	.equ	CODE, 20
	.equ	DATA, 22
	.equ	SHORT, 14		! bytes of an acknowledgement
	.equ	LONG, 20		! of a message without data
	.equ	MESSAGE, 1		! kinds
	.equ	ACK, 2
	.equ	TRIES, 8
	.equ	SILENCE, 2000		! polls of a line that has nothing more to say

	.org	0x0000			! reset: program status
	.word	0, 0xc000, 0x8000, start

	.org	0x0130			! status area at 0100: NVI
	.word	0, 0xc000, 0x8000, nvi

	.org	0x0180			! here, because single.s calls by it
calls:	.word	null, create, destroy, send, receive, block, null, null

	.org	0x0200
start:	ld	r14,#0x8000
	ld	r15,#0xf000
	ldctl	psapseg,r14
	ld	r0,#0x0100
	ldctl	psapoff,r0
	calr	lists
	ei	nvi
idle:	halt
	jr	idle

! Free lists of links and buffers, empty queues, page maps free.
lists:	clr	r1
	ld	r2,#LINKS
l1:	ld	r3,r1
	add	r3,#16
	ld	links(r1),r3
	ld	r1,r3
	djnz	r2,l1
	ld	links+LINKS*16-16,#NONE
	clr	free_link
	ld	r1,#buffers
	ld	free_buffer,r1
	ld	r2,#BUFFERS-1
l2:	ld	r3,r1
	add	r3,#BUFFER
	ld	M+0(r1),r3
	ld	r1,r3
	djnz	r2,l2
	clr	M+0(r1)
	ld	r2,#MAPS
	clr	r1
l3:	ld	owners(r1),#NONE
	clr	stamps(r1)
	inc	r1,#2
	djnz	r2,l3
	ld	r2,#128
	clr	r1
l4:	ld	slots(r1),#NONE
	inc	r1,#2
	djnz	r2,l4
	ret

! An interrupt: whatever has a cause is served.
nvi:	sub	r15,#28
	ldm	@rr14,r0,#14
	in	r13,#R_CAUSE
	bit	r13,#1
	jr	z,n1
	calr	do_call
n1:	bit	r13,#0
	jr	z,n2
	calr	do_fault
n2:	bit	r13,#2
	jr	z,n3
	calr	do_packet
n3:	ldm	r0,@rr14,#14
	add	r15,#28
	iret

! A kernel call. The routine returns with carry when the process has to wait.
do_call:
	ldm	r0,MAILBOX,#8
	cp	r0,#CALLS
	jr	uge,c1
	ld	r10,r0
	add	r10,r10
	ld	r9,calls(r10)
	ld	r8,#0x8000
	resflg	c
	call	@rr8
	ret	c
reply:	ld	MAILBOX,r0
	out	#R_TO_USER,r0
	ret
c1:	cp	r0,#255
	jr	ne,c2
	ld	stopped,#1
	ret
c2:	ld	r0,#NONE
	jr	reply

null:	clr	r0
	resflg	c
	ret

! r1-r7: channel, machine, process, code, data area. r0: the link.
create:	ld	r9,free_link
	cp	r9,#NONE
	jr	eq,refuse
	ld	r10,links(r9)
	ld	free_link,r10
	ld	links(r9),#USED
	lda	rr10,links+2(r9)
	ldm	@rr10,r1,#7
	inc	link_count,#1
	ld	r0,r9
	resflg	c
	ret

! r1: the link.
destroy:
	calr	check
	jr	c,refuse
	ld	r10,free_link
	ld	links(r1),r10
	ld	free_link,r1
	dec	link_count,#1
	clr	r0
	resflg	c
	ret

refuse:	ld	r0,#NONE
	resflg	c
	ret

! Carry unless r1 is a link in use.
check:	cp	r1,#LINKS*16
	jr	uge,bad
	ld	r10,r1
	and	r10,#15
	jr	nz,bad
	cp	links(r1),#USED
	jr	ne,bad
	resflg	c
	ret
bad:	setflg	c
	ret

! r1: link, rr2: address, r4: length. To another machine the message goes out at once.
send:	calr	check
	jr	c,refuse
	cp	r4,#MOST
	jr	ugt,refuse
	ld	r12,free_buffer
	test	r12
	jr	z,refuse
	ld	r10,M+0(r12)
	ld	free_buffer,r10
	ld	M+LENGTH(r12),r4
	ld	r10,links+2(r1)
	ld	M+CHANNEL(r12),r10
	ld	r10,links+6(r1)
	ld	M+PROCESS(r12),r10
	ld	r10,links+8(r1)
	ld	M+CODE(r12),r10
	ld	r10,links+4(r1)
	ld	M+TO(r12),r10
	ld	r6,#0x8000
	ld	r7,r12
	add	r7,#DATA
	pushl	@rr14,rr12
	clr	r0
	calr	copy
	popl	rr12,@rr14
	test	M+TO(r12)
	jr	nz,away
	calr	queue
	clr	r0
	resflg	c
	ret
away:	calr	transmit
	calr	give_back
	clr	r0
	jr	nc,a1
	ld	r0,#NONE
a1:	resflg	c
	ret

! The message in r12 joins its channel's queue.
queue:	ld	r10,M+CHANNEL(r12)
	add	r10,r10
	clr	M+0(r12)
	ld	r11,tails(r10)
	ld	tails(r10),r12
	test	r11
	jr	z,q1
	ld	M+0(r11),r12
	ret
q1:	ld	heads(r10),r12
	ret

give_back:
	ld	r10,free_buffer
	ld	M+0(r12),r10
	ld	free_buffer,r12
	ret

! rr2: address, r4: room, r5: channel. Waits with carry when there is nothing.
receive:
	ld	r10,r5
	add	r10,r10
	ld	r12,heads(r10)
	test	r12
	jr	nz,r1x
	ld	r10,#waiter
	ld	r11,r10
	ld	r10,#0x8000
	ldm	@rr10,r2,#4
	ld	blocked,#1
	setflg	c
	ret
r1x:	ld	r11,M+0(r12)
	ld	heads(r10),r11
	test	r11
	jr	nz,r2x
	clr	tails(r10)
r2x:	cp	r4,M+LENGTH(r12)
	jr	ule,r3x
	ld	r4,M+LENGTH(r12)
r3x:	push	@rr14,r4
	ld	r6,#0x8000
	ld	r7,r12
	add	r7,#DATA
	pushl	@rr14,rr12
	ld	r0,#1
	calr	copy
	popl	rr12,@rr14
	calr	give_back
	pop	r0,@rr14
	resflg	c
	ret

! r4 bytes between the process at rr2 and the kernel at rr6; r0: 1 is towards the process.
! A page at a time: pages of the process need not be neighbours in memory.
copy:	test	r4
	ret	z
	calr	physical		! rr8 from rr2
	ld	r1,r3
	and	r1,#511
	neg	r1
	add	r1,#512			! left in the page
	cp	r1,r4
	jr	ule,p1
	ld	r1,r4
p1:	sub	r4,r1
	add	r3,r1
	ld	r10,r9
	or	r10,r7
	or	r10,r1
	bit	r10,#0
	jr	nz,odd
	srl	r1,#1
	test	r0
	jr	nz,p2
	ldir	@rr6,@rr8,r1
	jr	copy
p2:	ldir	@rr8,@rr6,r1
	jr	copy
odd:	test	r0
	jr	nz,p3
	ldirb	@rr6,@rr8,r1
	jr	copy
p3:	ldirb	@rr8,@rr6,r1
	jr	copy

! The page table: page p of segment s is frame s * 128 + p; segments 2 to 126 exist.
physical:
	ld	r8,r2
	and	r8,#0x7f00
	or	r8,#0x8000
	ld	r9,r3
	ret

! The message in r12 goes out, again until the other machine says that it has it: a window of
! one. Carry: it never did. One machine speaks at a time; the line has no other order.
transmit:
	ld	M+KIND(r12),#MESSAGE
	ld	r10,self
	ld	M+FROM(r12),r10
	ld	r10,next_out
	ld	M+SEQUENCE(r12),r10
	ld	r10,last_in
	ld	M+DONE(r12),r10
	ld	r4,M+LENGTH(r12)
	add	r4,#LONG
	ld	r8,#TRIES
t1:	calr	put_frame
	jr	c,t2
	calr	answered
	jr	nc,t3
t2:	inc	resent,#1
	djnz	r8,t1
	setflg	c
	ret
t3:	inc	next_out,#1
	resflg	c
	ret

! Sends the frame of r4 bytes in r12, its checksum made; an odd one is summed with a zero behind
! it. Carry: the line takes no more.
put_frame:
	ld	r2,#0x8000
	ld	r3,r12
	add	r3,#FRAME
	add	r3,r4
	bit	r4,#0
	jr	z,u1
	clrb	@rr2
u1:	clr	M+CHECK(r12)
	calr	sum
	neg	r0
	ld	M+CHECK(r12),r0
	ld	r3,r12
	add	r3,#FRAME
	ld	r1,r4
u2:	clr	r6
u3:	in	r5,#R_NETWORK_STATUS
	bit	r5,#6
	jr	nz,u4
	djnz	r6,u3
	setflg	c
	ret
u4:	ldb	rl5,@rr2
	inc	r3,#1
	out	#R_NETWORK,r5
	djnz	r1,u2
	resflg	c
	ret

! r0: the sum of the words of the frame of r4 bytes in r12.
sum:	ld	r2,#0x8000
	ld	r3,r12
	add	r3,#FRAME
	ld	r1,r4
	inc	r1,#1
	srl	r1,#1
	clr	r0
v1:	add	r0,@rr2
	inc	r3,#2
	djnz	r1,v1
	ret

! Waits for the acknowledgement of what was sent last. A message says as well what its sender has: two
! machines whose acknowledgements were lost would else send to each other for ever. The message itself
! comes again. Carry: it did not come. r4, r8, r12 stay.
answered:
	clr	r6
w1:	in	r5,#R_NETWORK_STATUS
	bit	r5,#7
	jr	nz,w2
	djnz	r6,w1
	setflg	c
	ret
w2:	pushl	@rr14,rr12
	push	@rr14,r4
	ld	r12,#answer
	calr	get_frame
	jr	c,w4
	ld	r10,M+DONE(r12)
	cp	r10,next_out
	resflg	c
	jr	eq,w4
	setflg	c
w4:	pop	r4,@rr14
	popl	rr12,@rr14
	ret

! Takes the frame that has begun to come in to r12. Carry: it is not for us, or not as it was
! sent; all that belonged to it is gone.
get_frame:
	ld	r2,#0x8000
	ld	r3,r12
	add	r3,#FRAME
	ld	r4,#SHORT
	calr	take
	jr	c,g3
	ld	r4,#SHORT
	cp	M+KIND(r12),#ACK
	jr	eq,g2
	cp	M+KIND(r12),#MESSAGE
	jr	ne,g3
	ld	r4,M+LENGTH(r12)
	cp	r4,#MOST
	jr	ugt,g3
	add	r4,#LONG-SHORT
	push	@rr14,r4
	calr	take
	pop	r4,@rr14
	jr	c,g3
	add	r4,#SHORT
	bit	r4,#0
	jr	z,g2
	clrb	@rr2
g2:	calr	sum
	test	r0
	jr	nz,g3
	ld	r10,M+TO(r12)
	cp	r10,self
	resflg	c
	ret	eq
g3:	ld	r6,#SILENCE
g4:	in	r5,#R_NETWORK_STATUS
	bit	r5,#7
	jr	nz,g5
	djnz	r6,g4
	setflg	c
	ret
g5:	in	r5,#R_NETWORK
	jr	g3

! r4 bytes from the line to rr2. Carry: it fell silent before.
take:	ld	r6,#SILENCE
k1:	in	r5,#R_NETWORK_STATUS
	bit	r5,#7
	jr	nz,k2
	djnz	r6,k1
	setflg	c
	ret
k2:	in	r5,#R_NETWORK
	ldb	@rr2,rl5
	inc	r3,#1
	djnz	r4,take
	resflg	c
	ret

! A frame has begun to come in: the next message is acknowledged and queued, one that we have
! already is acknowledged again.
do_packet:
	ld	r12,free_buffer
	test	r12
	jr	z,d3
	ld	r10,M+0(r12)
	ld	free_buffer,r10
	calr	get_frame
	jr	c,d2
	cp	M+KIND(r12),#MESSAGE
	jr	ne,d2
	ld	r10,last_in
	inc	r10,#1
	cp	r10,M+SEQUENCE(r12)
	jr	ne,d1
	ld	last_in,r10
	calr	acknowledge
	calr	queue
	test	blocked
	ret	z
	clr	blocked
	ld	r10,#0x8000
	ld	r11,#waiter
	ldm	r2,@rr10,#4
	calr	receive
	ret	c
	jp	reply
d1:	calr	acknowledge
d2:	calr	give_back
	ret
d3:	ld	r12,#answer		! no room: it comes again
	calr	get_frame
	ret

! Says to the sender of r12 what has come in order. r12 stays.
acknowledge:
	pushl	@rr14,rr12
	ld	r10,M+FROM(r12)
	ld	r12,#answer
	ld	M+TO(r12),r10
	ld	M+KIND(r12),#ACK
	ld	r10,self
	ld	M+FROM(r12),r10
	clr	M+SEQUENCE(r12)
	ld	r10,last_in
	ld	M+DONE(r12),r10
	clr	M+LENGTH(r12)
	ld	r4,#SHORT
	calr	put_frame
	popl	rr12,@rr14
	ret

! r1: number of the block, rr2: address of 512 bytes, page-aligned.
block:	ld	r4,#'R'
	calr	to_disk
	ldb	rl4,rh1
	calr	to_disk
	ldb	rl4,rl1
	calr	to_disk
	calr	physical
	ld	r4,#512
b1:	in	r5,#R_DISK_STATUS
	bit	r5,#7
	jr	z,b1
	in	r5,#R_DISK
	ldb	@rr8,rl5
	inc	r9,#1
	djnz	r4,b1
b2:	in	r5,#R_DISK_STATUS
	bit	r5,#7
	jr	z,b2
	in	r0,#R_DISK
	resflg	c
	ret

to_disk:
	in	r5,#R_DISK_STATUS
	bit	r5,#6
	jr	z,to_disk
	out	#R_DISK,r4
	ret

! The user processor is held: load what its reference needs, or end the process.
do_fault:
	in	r1,#R_FAULT
	in	r2,#R_OFFSET
	and	r1,#0x7f
	cp	r1,#2
	jr	ult,violation
	cp	r1,#126
	jr	ugt,violation
	in	r3,#R_REASON
	cp	r3,#3
	jr	eq,violation
	ld	r4,r1
	add	r4,r4
	ld	r5,slots(r4)
	cp	r5,#NONE
	jr	ne,f2
	calr	oldest			! r5: a page map for segment r1
	ld	slots(r4),r5
	ld	owners(r5),r4
	calr	clear_map
	out	#R_SEGMENT,r1		! process 0
	ld	r6,r5
	srl	r6,#1
	or	r6,#0xc000
	out	#R_SEGMENT_ENTRY,r6
f2:	inc	clock,#1
	ld	r6,clock
	ld	stamps(r5),r6
	ld	r6,r2
	srl	r6,#9			! page
	ld	r7,r5
	sll	r7,#6			! map * 128
	add	r7,r6
	out	#R_PAGE,r7
	ld	r7,r1
	sll	r7,#7
	add	r7,r6
	out	#R_FRAME,r7
	ld	r7,#0xc000
	out	#R_PAGE_ENTRY,r7
	ld	r7,#1
	out	#R_RELEASE,r7
	ret

violation:
	ld	r7,#2
	out	#R_RELEASE,r7
	ret

! r5: twice the number of the page map loaded longest ago; its owner loses it.
oldest:	clr	r5
	ld	r6,stamps
	ld	r7,#2
	ld	r8,#MAPS-1
o1:	cp	r6,stamps(r7)
	jr	ule,o2
	ld	r5,r7
	ld	r6,stamps(r7)
o2:	inc	r7,#2
	djnz	r8,o1
	ld	r6,owners(r5)
	cp	r6,#NONE
	ret	eq
	ld	slots(r6),#NONE
	srl	r6,#1
	out	#R_SEGMENT,r6
	clr	r6
	out	#R_SEGMENT_ENTRY,r6
	inc	evictions,#1
	ret

! No page of map r5 / 2 is valid any more.
clear_map:
	ld	r6,r5
	sll	r6,#6
	ld	r7,#128
	clr	r8
m1:	out	#R_PAGE,r6
	out	#R_PAGE_ENTRY,r8
	inc	r6,#1
	djnz	r7,m1
	ret

	.org	0x2000
stopped:	.word	0
evictions:	.word	0
self:		.word	0		! this machine's number, put here before reset
resent:		.word	0
next_out:	.word	1
last_in:	.word	0
link_count:	.word	0
free_link:	.word	0
free_buffer:	.word	0
blocked:	.word	0
clock:	.word	0
waiter:	.word	0, 0, 0, 0
heads:	.word	0, 0, 0, 0, 0, 0, 0, 0
tails:	.word	0, 0, 0, 0, 0, 0, 0, 0
stamps:	.space	2*MAPS
owners:	.space	2*MAPS
slots:	.space	256
links:	.space	16*LINKS
buffers:	.space	BUFFER*BUFFERS
answer:		.space	BUFFER		! acknowledgements, and what is not wanted
