/*
 * semaphore.pml - osthread/semaphore.go: weighted permits in a word, taken by
 * newcomers and retries, and handed to starving waiters
 *
 * The steps on the word without the guard, and the loads of what is published
 * beside it, are steps here. Under the guard the word is busy; the changes and
 * each word that unlock publishes are a step. Time is a free choice: the head
 * may be found starving at any check and stays so, the last wakeup may be late
 * at any check, a Release may check although it could pass, a timed waiter may
 * give up whenever it sleeps or its retry has failed. FAIR: nodes are starving
 * from the start. Waits in several queues are in waitany.pml and waitall.pml.
 *
 * Properties: permits are conserved (checked when no process can move); after
 * each grant there are fewer permits than need; a newcomer that
 * loads the word while the semaphore is closed takes none; no thread sleeps for
 * ever.
 *
 * Mutants: M_NO_GRANT, a waiter that leaves does not call grant; M_KEEP_PROMISE,
 * the permits of a retry that has ended stay counted; M_GIVE_BACK, a waiter
 * that gives up after a retry does not call grant; M_LATE, a waiter reports a
 * timeout although it was served; M_OPEN, newcomers take whenever there are
 * enough permits; M_LATE_NEED, unlock publishes need after the word; M_LATE_FLAG,
 * the same for semQueued; M_OLD_NEED, a Release loads need before it swaps the
 * word.
 */
#ifndef FAIR
#define FAIR 0
#endif
#define NW 3
#define PERMITS 3
#define RETRY 1
#define LOCK 2
#define MANY 99

bit busy, flag, guard, kept;
byte need = MANY;
short permits = 1, promised;
byte held, q[NW], n, want[NW], got[NW], woken;
bit inq[NW], perm[NW], old[NW], starving;

#define CLOSED (n > 0 && (starving || FAIR))
#define NEEDS (n == 0 -> MANY : want[q[0]] + (CLOSED -> 0 : promised))
#define SERVED (permits < NEEDS)

inline UNLINK(w) {
	k = 0;
	do :: q[k] != w -> k++ :: else -> break od;
	do :: k + 1 < n -> q[k] = q[k + 1]; k++ :: else -> break od;
	n--; q[n] = 0; inq[w] = 0; k = 0
}

#ifdef M_KEEP_PROMISE
#define END_RETRY() woken--
#else
#define END_RETRY() promised = promised - w; woken--
#endif

inline GRANT() {
	do
	:: n > 0 ->
		h = q[0];
		if :: old[h] = 1 :: skip fi;
		if
		:: old[h] && permits >= want[h] -> UNLINK(h); permits = permits - want[h]; held = held + want[h]; got[h] = LOCK; perm[h] = 1
		:: !old[h] && permits - promised >= want[h] -> UNLINK(h); promised = promised + want[h]; woken++; got[h] = RETRY; perm[h] = 1
		:: !old[h] && permits - promised < want[h] && permits >= want[h] && woken > 0 -> /* late */
			UNLINK(h); promised = promised + want[h]; woken++; got[h] = RETRY; perm[h] = 1
		:: old[h] && permits < want[h] -> break
		:: !old[h] && permits - promised < want[h] -> break
		fi
	:: else -> break
	od;
	starving = (n > 0 && old[q[0]]);
	h = 0
}

/* the first steps of lock, and the last of unlock */
#define ENTER() !guard -> guard = 1; busy = 1

inline PUBLISH() {
#ifndef M_LATE_NEED
	need = NEEDS;
#endif
	kept = CLOSED;
#ifdef M_LATE_NEED
	atomic { flag = (n > 0); busy = 0 };
	need = NEEDS;
	guard = 0
#else
#ifdef M_LATE_FLAG
	busy = 0;
	atomic { flag = (n > 0); guard = 0 }
#else
	atomic { flag = (n > 0); busy = 0; guard = 0 }
#endif
#endif
}

inline RELEASE(w) {
	m = MANY;
	do
	::
#ifdef M_OLD_NEED
		m = need;
#endif
		if
		:: atomic { !busy -> permits = permits + w; held = held - w; p = permits; f = flag };
			if
			:: f ->
#ifndef M_OLD_NEED
				m = need;
#endif
				if
				:: p < m -> break	/* nothing is due */
				:: true
				fi;
				atomic { ENTER(); GRANT(); assert(SERVED) };
				PUBLISH();
				break
			:: else -> break
			fi
		:: busy ->
			atomic { ENTER(); permits = permits + w; held = held - w; GRANT(); assert(SERVED) };
			PUBLISH();
			break
		fi
	od;
	p = 0; f = 0; m = 0
}

proctype W(byte me; byte w; bit timed) {
	byte k, h, p, m;
	bit f, c, took;
	want[me] = w;
	old[me] = FAIR;
again:	if
	:: atomic { !busy && !flag && permits >= w -> permits = permits - w; held = held + w; goto has }
	:: atomic { !busy && flag -> p = permits };
		atomic {
			c = (!busy && CLOSED);
#ifdef M_OPEN
			f = 0
#else
			f = kept
#endif
		};
		atomic {
			if
			:: f || p < w -> c = 0; p = 0; f = 0
			:: else ->
				if
				:: !busy && flag && permits == p -> assert(!c); permits = permits - w; held = held + w; c = 0; p = 0; goto has
				:: else -> c = 0; p = 0; goto again
				fi
			fi
		}
	:: busy
	:: atomic { !busy && !flag && permits < w }
	fi;
	atomic {			/* enqueue */
		ENTER();
		if
		:: permits >= w && !CLOSED -> permits = permits - w; held = held + w; took = 1
		:: else -> q[n] = me; n++; inq[me] = 1
		fi
	};
	PUBLISH();
	if :: took -> took = 0; goto has :: else fi;
sleep:	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		atomic {		/* leave */
			ENTER();
			took = !inq[me];
			if
			:: inq[me] -> UNLINK(me);
#ifndef M_NO_GRANT
				GRANT();
				assert(SERVED)
#endif
			:: else
			fi
		};
		PUBLISH();
		if :: took -> took = 0 :: else -> goto done fi;
		atomic { perm[me] -> perm[me] = 0 };
#ifdef M_LATE
		goto done
#endif
	fi;
	if
	:: got[me] == RETRY ->
		atomic {		/* retry */
			ENTER();
			if
			:: permits >= w -> took = 1;
				permits = permits - w; held = held + w;
				END_RETRY();
				GRANT();
				assert(SERVED)
			:: permits < w
			fi
		};
		PUBLISH();
		if :: took -> took = 0; goto has :: else fi;
		if
		:: timed ->
			atomic {	/* giveUp */
				ENTER();
				END_RETRY();
#ifndef M_GIVE_BACK
				GRANT();
				assert(SERVED)
#endif
			};
			PUBLISH();
			goto done
		:: true ->
			atomic {	/* enqueue, again */
				ENTER();
				k = n;
				do :: k > 0 -> q[k] = q[k - 1]; k-- :: else -> break od;
				q[0] = me; n++; inq[me] = 1;
				END_RETRY();
				GRANT();
				assert(SERVED)
			};
			PUBLISH();
			goto sleep
		fi
	:: else
	fi;
has:	RELEASE(w);
done:	skip
}

/* two permits that come later, one by one */
proctype R() {
	byte k, h, p, m;
	bit f;
	held = held + 2;
	RELEASE(1);
	RELEASE(1)
}

proctype Check() { timeout -> assert(permits == PERMITS && held == 0 && promised == 0 && woken == 0 && n == 0 && !starving && !flag && !guard) }

init {
	atomic {
		run W(0, 3, 1);
		run W(1, 1, 0);
		run W(2, 2, 0);
		run R();
		run Check()
	}
}
