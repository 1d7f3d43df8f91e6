/*
 * semaphore.pml - osthread/semaphore.go: weighted permits, given in order
 *
 * Each step under the queue's guard is one step here. Acquire takes what is there if nobody stands before it, else queues. grant takes out
 * the head for as long as there is enough for it; Release and a waiter that leaves call it.
 *
 * Properties: permits are conserved (checked when nothing moves); after each step nobody at the head could be served; nobody sleeps while
 * that is so.
 *
 * Mutants: M_NO_GRANT, a waiter that leaves does not call grant; M_LIE, Release leaves the permits lying and wakes one, who takes
 * them if nobody else has; M_LATE, a waiter whose time is up says so although it was served.
 */
#define NW 3
#define PERMITS 3

byte permits = 1, held, q[NW], n, want[NW];
bit inq[NW], perm[NW];

#define SERVED (n == 0 || permits < want[q[0]])

inline UNLINK(w) {
	k = 0;
	do :: q[k] != w -> k++ :: else -> break od;
	do :: k + 1 < n -> q[k] = q[k + 1]; k++ :: else -> break od;
	n--; q[n] = 0; inq[w] = 0; k = 0
}

inline GRANT() {
#ifdef M_LIE
	if :: n > 0 -> h = q[0]; UNLINK(h); perm[h] = 1 :: else fi;
#else
	do
	:: n > 0 && permits >= want[q[0]] -> h = q[0]; UNLINK(h); permits = permits - want[h]; held = held + want[h]; perm[h] = 1
	:: else -> break
	od;
	assert(SERVED);
#endif
	h = 0
}

proctype W(byte me; byte w; bit timed) {
	byte k, h;
	want[me] = w;
again:	atomic {
		if
		:: n == 0 && permits >= w -> permits = permits - w; held = held + w; goto got
		:: else -> q[n] = me; n++; inq[me] = 1
		fi
	};
	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		atomic {
			if
			:: inq[me] -> UNLINK(me);
#ifndef M_NO_GRANT
				GRANT();
#endif
#ifndef M_LIE
				assert(SERVED);
#endif
				goto done
			:: else
			fi
		};
		atomic { perm[me] -> perm[me] = 0 };
#ifdef M_LATE
		goto done
#endif
	fi;
#ifdef M_LIE
	goto again;
#endif
got:	atomic { held = held - w; permits = permits + w; GRANT() };
done:	skip
}

/* two permits that come later, one by one */
proctype R() {
	byte k, h;
	atomic { permits++; GRANT() };
	atomic { permits++; GRANT() }
}

proctype Check() { timeout -> assert(permits == PERMITS && held == 0) }

init {
	atomic {
		run W(0, 3, 1);
		run W(1, 1, 0);
		run W(2, 2, 0);
		run R();
		run Check()
	}
}
