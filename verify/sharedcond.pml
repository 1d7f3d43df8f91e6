/*
 * sharedcond.pml - osthread/shared/cond.go and csrc/ost_cond.h: a condition
 * variable of a sequence and a number of waiters, on a futex
 *
 * The mutex is one step; its algorithm is that of lock.pml and of owner.go. The
 * futex compares and enqueues in one step, and wakes any of its sleepers. A
 * timed waiter may time out whenever it sleeps. A context is done at any time:
 * then a process wakes all sleepers until the waiter has left.
 *
 * Scenes. TOKENS: waiters, of which 0 is timed, take one token each, for which
 * there is one Signal each, with the mutex or without it (UNHELD). ONE: waiters
 * without a predicate, 0 from the start and others at any time, and one Signal
 * once 0 waits: at least one wait must end by it. TIMED and CANCEL are what the
 * others of ONE are. KILL: of several processes waiter 1 may be killed once it
 * was woken, and gives its token back if it is not; there is one token less,
 * and one more when the others have theirs. Sleepers check the sequence when
 * their slice is over.
 *
 * Mutants: M_CLOCK, a waiter that was woken reports a timeout if its deadline
 * has passed; M_LATE_SEQ, it reads the sequence after it has unlocked;
 * M_LATE_COUNT, it counts itself then; M_LOOP, it sleeps on if it was woken and
 * the sequence is the same; M_KEEP, one that leaves because of its context does
 * not pass a wakeup on; M_WAKE_FIRST, Signal wakes before it changes the
 * sequence; M_NO_SLICE, no slices.
 */
#define NW 3
#ifdef KILL
#define TOKENS (NW - 1)
#else
#define TOKENS NW
#endif

byte holder = 255;
byte seq, waiters, tokens;
bit asleep[NW], entered[NW];
byte returned, finished, others;
bit canceled, left;

inline LOCK() { atomic { holder == 255 -> holder = me } }
inline UNLOCK() { assert(holder == me); holder = 255 }

/* any one sleeper */
inline WAKE() {
	atomic {
		if
		:: asleep[0] -> asleep[0] = 0
		:: asleep[1] -> asleep[1] = 0
		:: asleep[2] -> asleep[2] = 0
		:: !asleep[0] && !asleep[1] && !asleep[2]
		fi
	}
}

inline WAKE_ALL() {
	atomic { k = 0; do :: k < NW -> asleep[k] = 0; k++ :: else -> k = 0; break od }
}

inline SIGNAL() {
	if
	:: waiters > 0 ->
#ifdef M_WAKE_FIRST
		WAKE(); seq++
#else
		seq++; WAKE()
#endif
	:: else
	fi
}

/* result: 0 woken or changed, 1 timed out, 2 canceled */
inline WAIT(timed, cancel) {
	result = 0; woken = 0;
#ifdef M_LATE_COUNT
	UNLOCK();
	atomic { entered[me] = 1; waiters++; s = seq };
#else
#ifdef M_LATE_SEQ
	waiters++; UNLOCK();
	entered[me] = 1; s = seq;
#else
	waiters++;
	s = seq;
	atomic { UNLOCK(); entered[me] = 1 };
#endif
#endif
	do
	:: atomic { seq != s -> break }
	:: atomic { seq == s -> asleep[me] = 1 };
		late = 0; woken = 0;
		if
		:: !asleep[me] -> woken = 1
		:: timed -> atomic { if :: asleep[me] -> asleep[me] = 0; late = 1 :: else -> woken = 1 fi };
#ifdef M_CLOCK
			late = 1
#endif
#if defined(KILL) && !defined(M_NO_SLICE)
		:: atomic { asleep[me] && seq != s -> asleep[me] = 0 }
#endif
		fi;
#ifdef KILL
		if :: woken && me == 1 -> goto killed :: true fi;
#endif
#ifdef M_CLOCK
		if :: late -> result = 1; break :: else fi;
#endif
		if
		:: seq != s -> break
		:: else ->
			if
			:: cancel && canceled ->
				result = 2;
#ifndef M_KEEP
				if :: woken -> WAKE() :: else fi;
#endif
				break
			:: else ->
				if
				:: late -> result = 1; break
#ifdef M_LOOP
				:: else
#else
				:: !late && woken -> break
				:: !late && !woken
#endif
				fi
			fi
		fi
	od;
	waiters--;
	if :: cancel -> left = 1 :: else fi;
	LOCK()
}

proctype W(byte me; bit timed; bit cancel) {
	byte s, result, k;
	bit woken, late;
	LOCK();
#ifdef ONE
	WAIT(timed, cancel);
	if :: result == 0 -> returned++ :: else fi;
#else
	do
	:: tokens > 0 -> tokens--; break
	:: else -> WAIT(timed, cancel); if :: result && tokens == 0 -> break :: else fi
	od;
#ifdef KILL
	if :: me == 1 -> tokens++; SIGNAL() :: else fi;
#endif
#endif
	UNLOCK();
killed:	finished++;
#ifdef KILL
	if :: me != 1 -> others++ :: else fi
#endif
}

proctype P(byte me) {
	byte i, k;
#ifdef ONE
	(entered[0]);
	LOCK();
	UNLOCK();
	SIGNAL();
	(returned > 0);
	do
	:: finished == NW -> break
	:: else -> WAKE_ALL()
	od
#else
	do
	:: i == TOKENS -> break
	:: else -> i++;
		LOCK();
		tokens++;
#ifdef UNHELD
		UNLOCK();
		SIGNAL()
#else
		SIGNAL();
		UNLOCK()
#endif
	od;
#ifdef KILL
	(others == NW - 1);
	LOCK();
	tokens++;
	UNLOCK();
	do
	:: finished == NW -> break
	:: else -> WAKE_ALL()
	od
#endif
#endif
}

/* the context's: see begin in osthread/shared/wait.go */
proctype C() {
	byte k;
	canceled = 1;
	do
	:: !left -> WAKE_ALL()
	:: left -> break
	od
}

init {
	byte i;
	atomic {
#ifdef ONE
		run W(0, 0, 0);
		i = 1;
#ifndef TIMED
#define TIMED 0
#endif
#ifdef CANCEL
		run W(1, 0, 1);
		run C();
		i = 2;
#endif
		do :: i < NW -> run W(i, TIMED, 0); i++ :: else -> break od;
#else
		do :: i < NW -> run W(i, (i == 0), 0); i++ :: else -> break od;
#endif
		run P(NW)
	}
}
