/*
 * event.pml - osthread/event.go: manual-reset and auto-reset events
 *
 * Each critical section of the queue's guard is one step. Wait first checks the
 * flag without it (manual reset only). A waiter sleeps until it has its permit;
 * a timed waiter may time out whenever it sleeps.
 *
 * Properties: manual: a Set immediately followed by a Clear releases every
 * queued waiter; no waiter sleeps while the flag is set. Auto: each Set makes
 * exactly one wait return true or leaves the flag set (sets == passes + flag,
 * as long as no Set finds the flag set).
 *
 * Mutants: M_RECHECK, a woken waiter checks the flag again and goes back to
 * sleep if it is clear; M_SWALLOW, a waiter of an auto-reset event reports a
 * timeout although Set has dequeued it.
 */
#ifndef NW
#define NW 3
#endif

bit flag, inq[NW], perm[NW];
byte q[NW], n, passes, sets, timedout;

inline UNLINK(w) {
	k = 0;
	do :: q[k] != w -> k++ :: else -> break od;
	do :: k + 1 < n -> q[k] = q[k + 1]; k++ :: else -> break od;
	n--; q[n] = 0; inq[w] = 0; k = 0
}

proctype W(byte me; bit timed) {
	byte k;
#ifndef AUTO
	if :: flag -> goto pass :: else fi;
#endif
again:	atomic {
		if
		:: flag ->
#ifdef AUTO
			flag = 0;
#endif
			goto pass
		:: else -> q[n] = me; n++; inq[me] = 1
		fi
	};
	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		atomic {
			if
			:: inq[me] -> UNLINK(me); goto late
			:: else
			fi
		};
		atomic { perm[me] -> perm[me] = 0 };
#ifdef M_SWALLOW
		goto late
#endif
	fi;
#ifdef M_RECHECK
	if :: !flag -> goto again :: else fi;
#endif
pass:	passes++;
	goto done;
late:	timedout++;
done:	skip
}

proctype S() {
	byte k, w, i;
#ifdef AUTO
	do
	:: i == NW -> break
	:: else ->
		/* a Set of a set flag has no effect, so wait until the flag is consumed */
		atomic { (!flag && passes + timedout + n <= NW) -> i++; sets++;
			if
			:: n > 0 -> w = q[0]; UNLINK(w); flag = 0
			:: else -> flag = 1; w = NW
			fi
		};
		if :: w < NW -> perm[w] = 1 :: else fi
	od
#else
	/* pulse: every waiter that is queued now is released */
	atomic { flag = 1; i = n; do :: n > 0 -> w = q[0]; UNLINK(w); perm[w] = 1 :: else -> break od };
	flag = 0;
	(passes >= i);
	(passes + timedout + n == NW);
	atomic { flag = 1; do :: n > 0 -> w = q[0]; UNLINK(w); perm[w] = 1 :: else -> break od }
#endif
}

#ifdef AUTO
/* at quiescence: every Set has been consumed by one wait, or is still set */
proctype Check() { timeout -> assert(sets == passes + flag) }
#endif

init {
	byte i;
	atomic {
		do :: i < NW -> run W(i, (i == 0)); i++ :: else -> break od;
		run S();
#ifdef AUTO
		run Check()
#endif
	}
}
