/*
 * barrier.pml - osthread/barrier.go: rounds as generations
 *
 * A generation here is one round. Without an action barrier.go uses the object
 * again for the next one, and tells rounds apart by the epoch (broadcast.pml).
 *
 * Each critical section of the guard is one step; the action runs between the
 * step that trips a generation and the step that releases its waiters. A timed
 * party may time out whenever it sleeps, which breaks the barrier; a party that
 * finds it broken calls Reset and waits again.
 *
 * Properties: no party passes round r before NT parties have arrived at it; the
 * action of a round runs once, before any party passes, and never two at once
 * in the same generation; no party sleeps forever. Parties are counted in a
 * round only if they pass it.
 *
 * Mutants: M_ONE_COUNT, one count for all rounds and no generations: a fast
 * party takes the place of a sleeping one; M_TRIPPED, a waiter that times out
 * breaks the barrier although its round is complete.
 */
#ifndef NT
#define NT 2
#endif
#ifndef ROUNDS
#define ROUNDS 3
#endif
#define GENS 16			/* an upper bound */

byte gen, arrived[GENS], passed[GENS], acted[GENS];
bit tripped[GENS], released[GENS], gbroken[GENS], broken;
byte count;			/* M_ONE_COUNT */
byte breaks;

inline BREAK() { gbroken[gen] = 1; gen++ }

proctype P(byte me; bit timed) {
	byte r, g;
	do
	:: r == ROUNDS -> break
	:: else ->
#ifdef M_ONE_COUNT
		atomic { count++; g = count };
		if
		:: g == NT -> count = 0
		:: else -> (count == 0)
		fi;
		atomic { r++; passed[r]++; assert(passed[r] <= NT && (r == 1 || passed[r - 1] >= 1)) }
#else
		atomic {
			if
			:: broken -> broken = 0; BREAK(); goto next	/* Reset */
			:: else -> g = gen; arrived[g]++
			fi;
			if
			:: arrived[g] == NT -> tripped[g] = 1; gen++
			:: else
			fi
		};
		if
		:: tripped[g] && arrived[g] == NT && !acted[g] ->
			/* the party that tripped it: the last to arrive, or equivalently any of them */
			atomic { if :: !acted[g] -> acted[g] = 1 :: else -> goto sleeps fi };
			released[g] = 1
		:: else ->
sleeps:			if
			:: released[g]
			:: gbroken[g] -> goto next
			:: timed && breaks < 2 ->
				atomic {
					if
#ifdef M_TRIPPED
					:: !released[g] && !gbroken[g] -> broken = 1; breaks++; gbroken[g] = 1; if :: g == gen -> gen++ :: else fi
#else
					:: !tripped[g] && !gbroken[g] -> broken = 1; breaks++; BREAK()
#endif
						; goto next
					:: else
					fi
				};
				if :: released[g] :: gbroken[g] -> goto next fi
			fi
		fi;
		atomic { r++; passed[g]++; assert(arrived[g] == NT && acted[g] && !gbroken[g]) };
#endif
next:		atomic { assert(gen < GENS - 1); g = 0 }
	od
}

#ifndef M_ONE_COUNT
/* at the end each generation was passed by all or by none */
proctype Check() {
	byte i;
	timeout;
	atomic { do :: i < GENS -> assert(passed[i] == 0 || passed[i] == NT); i++ :: else -> break od }
}
#endif

init {
	byte i;
	atomic {
		do :: i < NT -> run P(i, (i == 0)); i++ :: else -> break od;
#ifndef M_ONE_COUNT
		run Check()
#endif
	}
}
