/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation of net/peer*.c for the model checker Spin: one machine sends MESSAGES
 * messages of two pieces each to another, through media that lose, repeat and overtake, while
 * the receiver may go down and start anew. Sequence numbers begin before their wrap.
 *
 * Holds: within one boot of the receiver messages are delivered once, in order, without a
 * gap, whole, and only those meant for that boot; what the sender lets go of was delivered;
 * when the media have done their worst, every message is delivered or the boot it was for is
 * gone. Must fail, as the test shows: -DNO_EPOCHS (frames of an earlier boot are taken),
 * -DNO_WINDOW (anything that is not the next message is taken as early), -DNO_TIMER (only an
 * overtaken message is sent again), -DACK_EARLY (a piece acknowledges its message).
 */
#ifndef MESSAGES
#define MESSAGES 3
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef COPIES
#define COPIES 1
#endif
#ifndef REBOOTS
#define REBOOTS 1
#endif
#define WINDOW 2
#define SEQS   8 /* numbers are counted modulo this */
#define FIRST  6
#define WHOLE  3 /* both pieces */

/* Receiver's boot, sequence number, piece (1 or 2), and what is in the message: which one it
 * is, and the boot that it was meant for. */
chan data = [2] of {byte, byte, byte, byte, byte};
/* From which boot, what is expected next, the whole one after it, pieces held of the next. */
chan acks = [2] of {byte, byte, bool, byte};

byte losses = LOSSES, copies = COPIES, reboots = REBOOTS;
byte boot = 1;      /* the receiver's, as it is */
byte delivered = 0; /* to this boot */
byte first = 1;     /* the first message meant for this boot */
bool done;

/* Nothing is on its way any more: only now does the sender's clock run out. */
#define QUIET (empty(data) && empty(acks) && !owed && todo[0] == 0 && todo[1] == 0)
#define AHEAD(a, b) ((a + SEQS - b) % SEQS)

/* Scratch of single steps: not part of the state. */
hidden byte a, b, c, d, e, to, seq, piece, what, meant, from, expect, after, held_first, s, place;

active proctype Data()
{
end:
    do
    :: atomic { len(data) == 2 -> data?a, b, c, d, e; data!a, b, c, d, e }
    :: atomic { losses > 0 && len(data) > 0 -> data?_, _, _, _, _; losses-- }
    :: atomic {
        copies > 0 && len(data) == 1 -> data?<a, b, c, d, e>;
        data!a, b, c, d, e;
        copies--
    }
    od
}

active proctype Acks()
{
end:
    do
    :: atomic { len(acks) == 2 -> acks?a, b, after, d; acks!a, b, after, d }
    :: atomic { losses > 0 && len(acks) > 0 -> acks?_, _, _, _; losses-- }
    :: atomic {
        copies > 0 && len(acks) == 1 -> acks?<a, b, after, d>;
        acks!a, b, after, d;
        copies--
    }
    od
}

/* What is known of the message in each place of the receiver's window. */
byte have[WINDOW];
byte held[WINDOW];
byte expected = FIRST;
bool owed;

inline forget()
{
    have[0] = 0;
    have[1] = 0;
    held[0] = 0;
    held[1] = 0;
    expected = FIRST
}

inline deliver(what)
{
    assert(what == first + delivered);
    delivered++;
    expected = (expected + 1) % SEQS
}

active proctype Receiver()
{
end:
    do
    :: atomic {
        data?to, seq, piece, what, meant ->
        owed = true;
#ifndef NO_EPOCHS
        if
        :: to != boot -> goto drop
        :: else -> assert(meant == boot)
        fi;
#endif
#ifndef NO_WINDOW
        if
        :: AHEAD(seq, expected) >= WINDOW -> goto drop
        :: else -> skip
        fi;
#endif
        place = seq % WINDOW;
        if
        :: have[place] == 0 && seq != expected -> goto drop /* no memory */
        :: have[place] == 0 -> held[place] = what
        :: else -> skip
        fi;
        assert(held[place] == what);
        have[place] = have[place] | piece;
        do
        :: have[expected % WINDOW] == WHOLE ->
            place = expected % WINDOW;
            have[place] = 0;
            deliver(held[place])
        :: else -> break
        od;
drop:   skip
    }
    :: atomic {
        owed && nfull(acks) ->
        acks!boot, expected, (have[(expected + 1) % WINDOW] == WHOLE), have[expected % WINDOW];
        owed = false
    }
    :: atomic {
        reboots > 0 && !done ->
        reboots--;
        boot++;
        delivered = 0;
        first = MESSAGES + 1; /* until the sender has heard of it */
        owed = true;
        forget()
    }
    od
}

active proctype Sender()
{
    byte peer = 1, sent = 0; /* the boot it talks to, messages begun */
    byte una = FIRST, next = FIRST;
    byte todo[WINDOW], seen[WINDOW], number[WINDOW];
    bool acked[WINDOW];

    do
    :: atomic {
        sent < MESSAGES && AHEAD(next, una) < WINDOW ->
        place = next % WINDOW;
        sent++;
        number[place] = sent;
        todo[place] = WHOLE;
        seen[place] = 0;
        acked[place] = false;
        next = (next + 1) % SEQS
    }
    :: atomic { /* a piece of any message in the window; the order is the media's worst */
        nfull(data) && una != next && todo[una % WINDOW] != 0 -> place = una % WINDOW; s = una;
send:   if
        :: todo[place] & 1 -> data!peer, s, 1, number[place], peer; todo[place] = todo[place] & 2
        :: else -> data!peer, s, 2, number[place], peer; todo[place] = todo[place] & 1
        fi
    }
    :: atomic {
        nfull(data) && AHEAD(next, una) == 2 && todo[(una + 1) % WINDOW] != 0 ->
        s = (una + 1) % SEQS;
        place = s % WINDOW;
        goto send
    }
    :: atomic {
        acks?from, expect, after, held_first ->
        if
        :: from > peer -> goto reboot
        :: from < peer || AHEAD(expect, una) > AHEAD(next, una) -> goto ignore
        :: else -> skip
        fi;
        do
        :: una != expect ->
            assert(boot != peer || number[una % WINDOW] < first + delivered);
            todo[una % WINDOW] = 0;
            una = (una + 1) % SEQS
        :: else -> break
        od;
        if
        :: una != next ->
            place = una % WINDOW;
#ifdef ACK_EARLY
            if
            :: held_first != 0 -> todo[place] = 0; una = (una + 1) % SEQS
            :: else -> skip
            fi
#else
            seen[place] = seen[place] | held_first;
            todo[place] = todo[place] & (WHOLE - held_first)
#endif
        :: else -> skip
        fi;
        if
        :: after && AHEAD(next, una) == 2 ->
            place = (una + 1) % WINDOW;
            acked[place] = true;
            todo[place] = 0;
            todo[una % WINDOW] = WHOLE - seen[una % WINDOW] /* overtaken */
        :: else -> skip
        fi;
ignore: skip
    }
    :: una == next && sent == MESSAGES -> break
    :: atomic { /* a search for a path finds the boot that is there now */
        QUIET && boot != peer -> from = boot;
reboot: /* what the old boot had not acknowledged was for that one */
        peer = from;
        una = FIRST;
        next = FIRST;
        todo[0] = 0;
        todo[1] = 0;
        if
        :: boot == peer -> first = sent + 1
        :: else -> skip
        fi
    }
#ifndef NO_TIMER
    :: atomic {
        QUIET && boot == peer && una != next ->
        s = una;
        do
        :: s != next ->
            place = s % WINDOW;
            if
            :: !acked[place] -> todo[place] = WHOLE - seen[place]
            :: else -> skip
            fi;
            if /* all seen, yet not taken: the other side let go of it */
            :: !acked[place] && todo[place] == 0 -> seen[place] = 0; todo[place] = WHOLE
            :: else -> skip
            fi;
            s = (s + 1) % SEQS
        :: else -> break
        od
    }
#endif
    od;
    done = true;
    assert(peer != boot || first + delivered == MESSAGES + 1)
}
