/*
 * condition.pml - osthread/condition.go: wait, notify, and waiters requeued to
 * the lock's queue
 *
 * The lock L is a queue with handoff; mutex.go is modelled in lock.pml. Each
 * step under the guard of c's queue or of L's is one step. A timed waiter may
 * time out while it is in c's queue; once requeued, or woken to lock L itself,
 * it was notified.
 *
 * Scenes: EXACT, T0 timed and T1 untimed wait once, without a predicate, and
 * there is one Notify while both wait, or one: exactly one wait must return
 * true for it. TOKEN, waiters wait for tokens that producers make, with a
 * Notify each. ALL, one NotifyAll for all waiters.
 *
 * Mutants: M_CLOCK, a waiter reports a timeout although a Notify took it out;
 * M_LATE_PUSH, the waiter enqueues after it has unlocked L, not before;
 * M_NO_HOLD, a waiter that is requeued while L is free sleeps in its queue
 * (requeue does not check).
 */
#ifndef NW
#define NW 2
#endif
#define NT (NW + 1)

byte holder = 255;		/* of L */
byte cq[NT], cn, lq[NT], ln;
bit inc[NT], perm[NT], has[NT];	/* has: got L along with the permit */
byte tokens, notified, given;
byte waits;			/* how many have begun to wait */

inline UNLINK(w) {
	k = 0;
	do :: cq[k] != w -> k++ :: else -> break od;
	do :: k + 1 < cn -> cq[k] = cq[k + 1]; k++ :: else -> break od;
	cn--; cq[cn] = 0; inc[w] = 0; k = 0
}

inline LOCK() {
	atomic {
		if
		:: holder == 255 -> holder = me; free = 1
		:: else -> lq[ln] = me; ln++; free = 0
		fi
	};
	if :: free -> skip :: else -> atomic { perm[me] -> perm[me] = 0; has[me] = 0 } fi;
	assert(holder == me)
}

inline UNLOCK() {
	atomic {
		assert(holder == me);
		if
		:: ln > 0 ->
			holder = lq[0]; k = 0;
			do :: k + 1 < ln -> lq[k] = lq[k + 1]; k++ :: else -> break od;
			ln--; lq[ln] = 0; k = 0; perm[holder] = 1; has[holder] = 1
		:: else -> holder = 255
		fi
	}
}

/* to: timed out. L is held, and is again afterwards. */
inline WAIT(timed) {
	to = 0;
#ifdef M_LATE_PUSH
	waits++; UNLOCK();
	atomic { cq[cn] = me; cn++; inc[me] = 1 };
#else
	atomic { waits++; cq[cn] = me; cn++; inc[me] = 1; has[me] = 0 };
	UNLOCK();
#endif
	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		atomic { if :: inc[me] -> UNLINK(me); to = 1 :: else fi };
		if :: !to -> atomic { perm[me] -> perm[me] = 0 } :: else fi;
#ifdef M_CLOCK
		late = 1
#endif
	fi;
	if
	:: has[me] -> has[me] = 0
	:: else -> LOCK(); has[me] = 0
	fi;
	if :: late -> to = 1; late = 0 :: else fi
}

/* L is held */
inline NOTIFY() {
	atomic {
		if
		:: cn > 0 ->
			w = cq[0]; UNLINK(w); given++;
			if
#ifndef M_NO_HOLD
			:: holder == 255 -> perm[w] = 1
			:: else -> lq[ln] = w; ln++
#else
			:: true -> lq[ln] = w; ln++
#endif
			fi; w = 0
		:: else
		fi
	}
}

proctype W(byte me; bit timed) {
	byte k, w; bit to, late, free;
	LOCK();
#ifdef TOKEN
	do
	:: tokens > 0 -> tokens--; break
	:: else -> WAIT(timed); if :: to && tokens == 0 -> break :: else fi
	od;
#else
	WAIT(timed);
	if :: !to -> notified++ :: else fi;
#endif
	UNLOCK()
}

proctype P(byte me) {
	byte k, w, i; bit free;
#ifdef TOKEN
	do
	:: i == NW -> break
	:: else -> i++; LOCK(); tokens++; NOTIFY(); UNLOCK()
	od
#else
	(waits == NW);
#ifdef UNHELD
	NOTIFY();		/* another thread has unlocked L in between: any may */
#else
	LOCK();
#ifdef ALL
	do :: cn > 0 -> NOTIFY() :: else -> break od;
#else
	NOTIFY();
#endif
	UNLOCK();
#endif
	/* each notification that found somebody ends one wait; then let the rest go */
	(notified == given);
	LOCK();
	do :: cn > 0 -> NOTIFY() :: else -> break od;
	UNLOCK()
#endif
}

init {
	byte i;
	atomic {
		do :: i < NW -> run W(i, (i == 0)); i++ :: else -> break od;
		run P(NW)
	}
}
