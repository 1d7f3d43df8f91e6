/*
 * semaphore.pml - osthread/semaphore.go: weighted permits, taken by newcomers
 * and retries, and handed to starving waiters
 *
 * Each step under the queue's guard is one step here. Time is a free choice:
 * the head may be found starving at any check and stays so, a timed waiter may
 * give up whenever it sleeps or its retry has failed. FAIR: nodes are starving
 * from the start. Waits in several queues are in waitany.pml.
 *
 * Properties: permits are conserved (checked when no process can move); after
 * each step there are too few permits for the head, after those that retries
 * will take; the semaphore is closed to newcomers exactly while the head is
 * starving, and none takes permits before it; no thread sleeps for ever.
 *
 * Mutants: M_NO_GRANT, a waiter that leaves does not call grant; M_KEEP_PROMISE,
 * the permits of a retry that has ended stay counted; M_GIVE_BACK, a waiter
 * that gives up after a retry does not call grant; M_LATE, a waiter reports a
 * timeout although it was served; M_OPEN, newcomers take whenever there are
 * enough permits.
 */
#ifndef FAIR
#define FAIR 0
#endif
#define NW 3
#define PERMITS 3
#define RETRY 1
#define LOCK 2

short permits = 1, promised;
byte held, q[NW], n, want[NW], got[NW];
bit inq[NW], perm[NW], old[NW], starving;

#define SERVED (n == 0 || (permits < want[q[0]]) || (!old[q[0]] && permits - promised < want[q[0]]))

inline UNLINK(w) {
	k = 0;
	do :: q[k] != w -> k++ :: else -> break od;
	do :: k + 1 < n -> q[k] = q[k + 1]; k++ :: else -> break od;
	n--; q[n] = 0; inq[w] = 0; k = 0
}

#ifdef M_KEEP_PROMISE
#define END_RETRY() skip
#else
#define END_RETRY() promised = promised - w
#endif

inline GRANT() {
	do
	:: n > 0 ->
		h = q[0];
		if :: old[h] = 1 :: skip fi;
		if
		:: old[h] && permits >= want[h] -> UNLINK(h); permits = permits - want[h]; held = held + want[h]; got[h] = LOCK; perm[h] = 1
		:: !old[h] && permits - promised >= want[h] -> UNLINK(h); promised = promised + want[h]; got[h] = RETRY; perm[h] = 1
		:: else -> break
		fi
	:: else -> break
	od;
	starving = (n > 0 && old[q[0]]);
	assert(SERVED);
	h = 0
}

proctype W(byte me; byte w; bit timed) {
	byte k, h;
	want[me] = w;
	old[me] = FAIR;
	atomic {
		if
#ifdef M_OPEN
		:: permits >= w ->
#else
		:: permits >= w && !starving && !(FAIR && n > 0) ->
#endif
			assert(n == 0 || !old[q[0]]);
			permits = permits - w; held = held + w; goto has
		:: else -> q[n] = me; n++; inq[me] = 1
		fi
	};
sleep:	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		atomic {
			if
			:: inq[me] -> UNLINK(me);
#ifndef M_NO_GRANT
				GRANT();
#endif
				assert(SERVED);
				goto done
			:: else
			fi
		};
		atomic { perm[me] -> perm[me] = 0 };
#ifdef M_LATE
		goto done
#endif
	fi;
	if
	:: got[me] == RETRY ->
		atomic {		/* retry */
			if
			:: permits >= w ->
				permits = permits - w; held = held + w;
				END_RETRY();
				GRANT(); goto has
			:: permits < w
			fi
		};
		if
		:: timed ->
			atomic {	/* giveUp */
				END_RETRY();
#ifndef M_GIVE_BACK
				GRANT();
#endif
				assert(SERVED);
				goto done
			}
		:: true ->
			atomic {	/* enqueue, again */
				k = n;
				do :: k > 0 -> q[k] = q[k - 1]; k-- :: else -> break od;
				q[0] = me; n++; inq[me] = 1;
				END_RETRY();
				GRANT();
				goto sleep
			}
		fi
	:: else
	fi;
has:	atomic { held = held - w; permits = permits + w; GRANT() };
done:	skip
}

/* two permits that come later, one by one */
proctype R() {
	byte k, h;
	atomic { permits++; GRANT() };
	atomic { permits++; GRANT() }
}

proctype Check() { timeout -> assert(permits == PERMITS && held == 0 && promised == 0 && n == 0 && !starving) }

init {
	atomic {
		run W(0, 3, 1);
		run W(1, 1, 0);
		run W(2, 2, 0);
		run R();
		run Check()
	}
}
