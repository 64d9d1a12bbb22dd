/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notification handshake of a shared ring (io/ring.h), for the model checker Spin: a
 * front end that sends REQUESTS requests through a ring of SIZE places and a back end that
 * answers each, both of which sleep when they see nothing to do. Each side's stores pass
 * through a FIFO of its own, as on x86, so that a load may overtake an earlier store.
 *
 * Holds: no request or answer is overwritten, lost or seen twice, and nobody sleeps while
 * work waits for it (Spin's search for invalid end states). Must fail, as the test shows:
 * -DNO_BARRIER (a push or a last look without its full barrier), -DNO_LAST_LOOK (asking
 * for an event without looking once more).
 */
#define SIZE 2
#ifndef REQUESTS
#define REQUESTS 4
#endif

#define FRONT 0
#define BACK  1

/* What both share: producer indices, and from which index on each wants an event. */
byte prod[2];      /* [FRONT]: requests, [BACK]: responses */
byte event[2] = 1; /* [FRONT]: wanted by the back end of requests, [BACK]: by the front */
byte slot[SIZE];   /* the number of the request or response in it */

/* Stores on their way: variable (0 prod, 1 event, 2 slot), place, value. */
chan store_front = [3] of {byte, byte, byte};
chan store_back = [3] of {byte, byte, byte};
bool pending[2]; /* the event channel's bit of each side */

#ifdef NO_BARRIER
#define BARRIER(fifo) skip
#else
#define BARRIER(fifo) empty(fifo)
#endif

proctype Memory(chan fifo)
{
    byte what, place, value;
end:
    do
    :: atomic {
        fifo?what, place, value;
        if
        :: what == 0 -> prod[place] = value
        :: what == 1 -> event[place] = value
        :: what == 2 -> slot[place] = value
        fi
    }
    od
}

/* Makes [was, now) visible and sends an event if the other asked for one in there. */
inline push(side, fifo, was, now)
{
    fifo!0, side, now;
    BARRIER(fifo);
    if
    :: (now - event[side]) < (now - was) && now >= event[side] -> pending[1 - side] = true
    :: else -> skip
    fi
}

/* Asks to be woken when `side` pushes entry `cons`. */
inline last_look(side, fifo, cons)
{
    fifo!1, side, cons + 1;
    BARRIER(fifo);
}

inline sleep(self)
{
    atomic { pending[self] -> pending[self] = false }
}

proctype Front()
{
    byte sent = 0, pushed = 0, got = 0;

    do
    :: sent < REQUESTS && sent - got < SIZE ->
        /* Its own stores it would see; that place was answered, so it is free. */
        store_front!2, sent % SIZE, sent;
        sent++
    :: pushed < sent -> push(FRONT, store_front, pushed, sent); pushed = sent
    :: got < prod[BACK] ->
        assert(slot[got % SIZE] == 100 + got);
        got++
    :: got == REQUESTS -> break
    :: else ->
#ifndef NO_LAST_LOOK
        last_look(BACK, store_front, got);
        if
        :: got < prod[BACK] -> skip
        :: else -> sleep(FRONT)
        fi
#else
        if
        :: got < prod[BACK] -> skip
        :: else -> last_look(BACK, store_front, got); sleep(FRONT)
        fi
#endif
    od;
    assert(sent == REQUESTS && prod[BACK] == REQUESTS)
}

proctype Back()
{
    byte seen = 0, answered = 0;

end:
    do
    :: seen < prod[FRONT] ->
        assert(slot[seen % SIZE] == seen);
        store_back!2, seen % SIZE, 100 + seen;
        seen++
    :: answered < seen -> push(BACK, store_back, answered, seen); answered = seen
    :: else ->
#ifndef NO_LAST_LOOK
        last_look(FRONT, store_back, seen);
        if
        :: seen < prod[FRONT] -> skip
        :: else ->
endsleep:   sleep(BACK)
        fi
#else
        if
        :: seen < prod[FRONT] -> skip
        :: else -> last_look(FRONT, store_back, seen);
endsleep:   sleep(BACK)
        fi
#endif
    od
}

init
{
    atomic {
        run Memory(store_front);
        run Memory(store_back);
        run Front();
        run Back()
    }
}
