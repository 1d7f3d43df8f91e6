/*
 * barrier.pml - osthread/barrier.go: rounds as generations
 *
 * Each step under the guard is one step; the action runs between the step that trips a generation and the one that lets its waiters go. A timed
 * party may give up whenever it sleeps, which breaks the barrier; whoever finds it broken heals it by Reset and comes again.
 *
 * Properties: nobody passes round r before NT parties have come to it; the action of a round runs once, before anybody passes, and never two at once with
 * the same generation; nobody sleeps for ever. Parties are counted in a round only if they pass it.
 *
 * Mutants: M_ONE_COUNT, one count for all rounds and no generations: a party that comes fast takes the place of one that sleeps; M_TRIPPED, a
 * waiter whose time is up breaks the barrier although its round is complete.
 */
#ifndef NT
#define NT 2
#endif
#ifndef ROUNDS
#define ROUNDS 3
#endif
#define GENS 16			/* more than there can be */

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
			/* whoever tripped it: the last to come, or with a choice that is as good, any of them */
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
/* in the end each generation was passed by all or by none */
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
