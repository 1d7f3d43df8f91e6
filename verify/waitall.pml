/*
 * waitall.pml - osthread/waitany.go: waits for all of two semaphores
 *
 * W0 and W1 each wait for a permit of A and a permit of B, both at once; S
 * waits for one of A. An attempt of a WaitAll holds both guards, so it is one
 * step. A WaitAll that cannot take both queues at the first semaphore that has
 * none. A release wakes the longest waiter; if that is a WaitAll, the permit is
 * reserved for its attempt (grant, in semaphore.go). After the attempt the next
 * waiter is notified of what is left. A WaitAll may time out (TIMED).
 *
 * Properties: no permit is lost or taken twice; none stays reserved; no waiter
 * sleeps while a permit is available to it.
 *
 * Mutants: M_NO_NEXT, an attempt does not notify the next waiter; M_KEEP, a
 * timeout leaves its reservation; M_NOT_FREE, S takes a reserved permit, and
 * the attempt that relies on it takes a permit that does not exist.
 */
#define A	0
#define B	1
#define NONE	2
#define S	2	/* besides W0 and W1 */

byte permits[2], reserved[2];
byte last[2];			/* the last place assigned in each queue */
byte place[3];			/* in its queue, or its last queue */
byte at[3] = NONE;		/* the queue that it is in */
byte perm[3];			/* a wakeup is pending or delivered */
byte taken[2];
byte given[2];

#define FREE(q)	(permits[q] - reserved[q])

/* first: the first W in q, or NONE */
inline FIRST(q, first) {
	first = NONE;
	if
	:: at[0] == q && (at[1] != q || place[0] < place[1]) -> first = 0
	:: else -> if :: at[1] == q -> first = 1 :: else fi
	fi
}

inline GRANT(q, first) {
	do
	:: permits[q] > reserved[q] ->
		FIRST(q, first);
		if
		:: first != NONE && (at[S] != q || place[first] < place[S]) ->
			at[first] = NONE; reserved[q]++; perm[first] = 1
		:: else ->
			if
			:: at[S] == q -> at[S] = NONE; permits[q]--; taken[q]++; perm[S] = 1
			:: else -> break
			fi
		fi
	:: else -> break
	od;
	first = 0
}

proctype W(byte me) {
	byte was = NONE, missing, first;
	bit up;

look:	atomic {
		if
		:: was != NONE && at[me] == NONE ->
#ifdef M_KEEP
			if :: !up -> reserved[was]-- :: else fi
#else
			reserved[was]--
#endif
		:: else
		fi;
		at[me] = NONE;
#ifdef M_NOT_FREE
#define THERE(q)	(permits[q] > 0 || was == q)
#else
#define THERE(q)	(permits[q] > reserved[q])
#endif
		if
		:: up -> missing = NONE
		:: else ->
			if
			:: THERE(A) && THERE(B) ->
				assert(permits[A] > 0 && permits[B] > 0);
				permits[A]--; permits[B]--;
				taken[A]++; taken[B]++;
				missing = NONE
			:: !THERE(A) -> missing = A
			:: else -> missing = B
			fi
		fi;
#ifndef M_NO_NEXT
		if :: was != NONE -> GRANT(was, first) :: else fi;
#endif
		if
		:: missing != NONE ->
			if
			:: missing != was -> last[missing]++; place[me] = last[missing]
			:: else
			fi;
			at[me] = missing
		:: else
		fi;
		was = missing
	};
	if
	:: missing == NONE -> goto out
	:: else
	fi;
end:	if
	:: perm[me] -> perm[me] = 0; goto look
#ifdef TIMED
	:: true -> up = 1; goto look
#endif
	fi;
out:	skip
}

proctype Single() {
	atomic {
		if
#ifdef M_NOT_FREE
		:: permits[A] > 0 -> permits[A]--; taken[A]++; goto got
#else
		:: permits[A] > reserved[A] -> permits[A]--; taken[A]++; goto got
#endif
		:: else -> last[A]++; place[S] = last[A]; at[S] = A
		fi
	};
end:	perm[S];
got:	skip
}

proctype Release(byte q; byte n) {
	byte first;

	do
	:: n > 0 -> atomic { n--; permits[q]++; given[q]++; GRANT(q, first) }
	:: else -> break
	od
}

/* at quiescence */
proctype Check() {
	timeout;
	assert(reserved[A] == 0 && reserved[B] == 0);
	assert(permits[A] + taken[A] == given[A] && permits[B] + taken[B] == given[B]);
	assert(permits[A] == 0 || at[0] != A && at[1] != A && at[S] != A);
	assert(permits[B] == 0 || at[0] != B && at[1] != B)
}

init {
	atomic {
		run W(0); run W(1); run Single();
		run Release(A, RA); run Release(B, RB);
		run Check()
	}
}
