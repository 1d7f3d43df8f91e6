/*
 * interrupt.pml - Interruptible, Interrupt and Interrupted: interrupt.go
 *
 * A thread calls Interruptible ITER times. In each the function makes up to two
 * system calls that sleep until they are interrupted. Outside it makes calls of
 * its own, which no signal may hit. A caller interrupts it whenever it
 * can, and each round has its timer, which repeats the signal. A signal that
 * was sent is pending until the kernel has the thread handle it, at any time:
 * in a sleep that is EINTR, otherwise it is gone.
 *
 * Properties: no signal is handled outside; each Interrupt that was accepted is
 * noticed, once, by Interruptible or Interrupted; no sleep lasts for ever.
 *
 * Mutants: M_ONCE, no repetition; M_DRAIN, the thread does not take what is
 * pending; M_LOCK, it acknowledges without the record's lock.
 */
#ifndef ITER
#define ITER 2
#endif

mtype = { closed, open, asked };

mtype state = closed;
bit mu, pending, asleep, outside, over;
byte round, accepted, noticed;

#define LOCK atomic { !mu -> mu = 1 }
#define UNLOCK mu = 0

/* osDrain */
inline DRAIN() {
#ifndef M_DRAIN
	pending = 0
#else
	skip
#endif
}

inline ACKNOWLEDGE(to) {
#ifndef M_LOCK
	LOCK;
	state = to;
	UNLOCK;
#else
	state = to;
#endif
	DRAIN();
	noticed++
}

active proctype Thread() {
	byte n, calls;
	do
	:: n == ITER -> break
	:: else ->
		n++;
		calls = 0;
		state = open;
		do
		:: break			/* f returns */
		:: calls < 2 -> calls++;
			asleep = 1; !asleep;	/* a call; EINTR */
			if
			:: break
			:: state == asked -> ACKNOWLEDGE(open)	/* Interrupted */
			:: state == asked -> break
			fi
		od;
		if
		:: atomic { state == open -> state = closed }
		:: atomic { state != open }; ACKNOWLEDGE(closed)
		fi;
		outside = 1;
		skip;
		outside = 0
	od;
	over = 1;
	assert(noticed == accepted)
}

/* The kernel has the thread handle a signal. */
active proctype Kernel() {
end:	do
	:: atomic { pending -> assert(!outside); pending = 0; asleep = 0 }
	od
}

proctype Timer(byte mine) {
	do
	:: LOCK;
		if
		:: round == mine && state == asked -> pending = 1; UNLOCK
		:: else -> UNLOCK; break
		fi
	od
}

active proctype Caller() {
	bit done;
	do
	:: over -> break
	:: state == open ->
		done = 0;
		LOCK;
		if
		:: atomic { state == open -> state = asked; accepted++; done = 1 }
		:: else
		fi;
		if
		:: done ->
			pending = 1;
			round++;
#ifndef M_ONCE
			run Timer(round);
#endif
		:: else
		fi;
		UNLOCK
	od
}
