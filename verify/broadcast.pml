/*
 * broadcast.pml - internal/park/broadcast.go: threads that sleep on one word
 *
 * NW waiters, as Event has them: each counts itself in under the guard, after a
 * check of the flag, sleeps, and counts itself out if it times out. A setter
 * ends the epoch under the guard, twice, and clears the flag in between. The
 * futex compares the word and sleeps in one step; a wake wakes all sleepers.
 *
 * Properties: no waiter sleeps forever (an invalid end state); a waiter that
 * returns true found a flag set or had its epoch ended; a waiter that times out
 * was not ended; the count is exact.
 *
 * Mutants: M_NO_BIT, a waiter sleeps without setting the bit; M_EARLY_WAKE, the
 * waker wakes before it changes the word; M_CLOCK, a waiter that times out does
 * not look whether its epoch is over.
 */
#ifndef NW
#define NW 2
#endif

bit asleep;			/* the word: epoch and asleep */
byte epoch;
bit flag, kernel[NW];		/* in the futex's queue */
byte together, ended[NW], mine[NW];

proctype W(byte me; bit timed) {
	byte e;
	bit in;
	atomic {			/* under the guard */
		if
		:: flag -> goto done
		:: else -> e = epoch; together++; mine[me] = 1
		fi
	};
	do
	:: epoch != e -> goto done
	:: else ->
#ifndef M_NO_BIT
		/* one compare-and-swap, which may fail */
		if :: atomic { epoch == e -> asleep = 1 } :: epoch != e -> goto done fi;
		atomic { if :: epoch == e && asleep -> kernel[me] = 1; in = 1 :: else -> in = 0 fi };
#else
		atomic { if :: epoch == e -> kernel[me] = 1; in = 1 :: else -> in = 0 fi };
#endif
		if
		:: !in
		:: in && !kernel[me]
		:: atomic { in && timed && kernel[me] -> kernel[me] = 0 }; goto late
		fi
	od;
late:	atomic {			/* under the guard */
#ifndef M_CLOCK
		if :: epoch != e -> goto done :: else fi;
#endif
		assert(!ended[me] && together > 0);
		together--; mine[me] = 0
	};
done:	skip
}

inline WAKE() { i = 0; do :: i < NW -> kernel[i] = 0; i++ :: else -> break od; i = 0 }

proctype S() {
	byte i, round;
	bit wake;
	do
	:: round == 2 -> break
	:: else ->
#ifdef M_EARLY_WAKE
		atomic { WAKE() };
#endif
		atomic {		/* under the guard */
			flag = 1; wake = together > 0 && asleep;
			if :: together > 0 -> epoch++; asleep = 0 :: else fi;
			do :: i < NW -> ended[i] = ended[i] | mine[i]; mine[i] = 0; i++ :: else -> break od;
			i = 0; together = 0
		};
#ifndef M_EARLY_WAKE
		if :: wake -> atomic { WAKE() } :: else fi;
#endif
		if :: round == 0 -> flag = 0 :: else fi;
		round++
	od
}

/* at the end nobody is counted in */
proctype Check() { timeout -> assert(together == 0) }

init {
	byte i;
	atomic {
		do :: i < NW -> run W(i, (i == 0)); i++ :: else -> break od;
		run S();
		run Check()
	}
}
