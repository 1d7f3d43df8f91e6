/*
 * waitany.pml - osthread/waitany.go and internal/wait/set.go: a wait for any of
 * two semaphores
 *
 * M waits for A or B, S only for A; A and B get one permit each. Each critical
 * section of one semaphore's guard is one step; M's nodes are queued one after
 * the other. A releaser must win the set before it grants M a permit.
 *
 * Properties: M takes from exactly one; no permit is lost (taken by M and S,
 * plus those left, is 2 at the end); no waiter sleeps while a permit is
 * available to it. M may time out (TIMED).
 *
 * Mutants: M_NO_WIN, a releaser that dequeues M's node grants the permit
 * whether it won or not: both grant; M_SWALLOW, a node of a set won elsewhere
 * consumes the wakeup, as with futex_waitv: S sleeps although a permit is
 * available; M_NO_CLOSE, M times out without closing the set.
 */
byte a, b;			/* permits */
byte winner;			/* 0 open, 1 A, 2 B, 3 closed */
bit qa, qb, qs;			/* M's nodes, and S's, in the queues */
bit mperm, sperm;
bit mfirst = 1;			/* M is ahead of S in A's queue */
byte taken, mgot;

/* A grants its permits to its queue */
inline GRANT_A() {
	if :: qa && mfirst && a > 0 -> GIVE_M_A() :: else fi;
	if :: qs && a > 0 -> qs = 0; a--; sperm = 1 :: else fi;
	if :: qa && a > 0 -> GIVE_M_A() :: else fi
}
inline GIVE_M_A() {
	qa = 0;
	if
#ifdef M_NO_WIN
	:: true -> a--; mgot++; winner = 1; mperm = 1
#else
	:: winner == 0 -> winner = 1; a--; mgot++; mperm = 1
#ifdef M_SWALLOW
	:: else -> goto swallowed
#else
	:: else
#endif
#endif
	fi
}
inline GRANT_B() {
	if
	:: qb && b > 0 -> qb = 0;
		if
#ifdef M_NO_WIN
		:: true -> b--; mgot++; winner = 2; mperm = 1
#else
		:: winner == 0 -> winner = 2; b--; mgot++; mperm = 1
		:: else
#endif
		fi
	:: else
	fi
}

proctype M() {
	bit gave;
	/* check each once, then queue */
	atomic { if :: a > 0 && !qs -> a--; mgot++; goto out :: else fi };
	atomic { if :: b > 0 -> b--; mgot++; goto out :: else fi };
	atomic {
		if
		:: a > 0 && !qs -> if :: winner == 0 -> winner = 1; a--; mgot++; goto leave :: else fi
		:: else -> qa = 1; mfirst = !qs
		fi
	};
	atomic {
		if
		:: b > 0 -> if :: winner == 0 -> winner = 2; b--; mgot++; goto leave :: else fi
		:: else -> qb = 1
		fi
	};
	if
	:: mperm -> skip
#ifdef TIMED
	:: true ->
#ifdef M_NO_CLOSE
		gave = 1
#else
		atomic { if :: winner == 0 -> winner = 3; goto leave :: else fi };
		mperm
#endif
#endif
	fi;
leave:	qa = 0;
	qb = 0;
out:	atomic { assert(mgot <= 1); if :: gave -> mgot = 0 :: else fi; taken = taken + mgot; mgot = 0 }
}

proctype S() {
	atomic { if :: a > 0 && !qa -> a--; goto got :: else -> qs = 1 fi };
end:	sperm;			/* if M took the only permit of A, S is not woken */
got:	taken++
}

proctype PA() { atomic { a++; GRANT_A() }; swallowed: skip }
proctype PB() { atomic { b++; GRANT_B() } }

/* at quiescence */
proctype Check() {
	timeout;
	assert(mgot == 0 && taken + a + b == 2);
	assert(!(qs && a > 0))
}

init { atomic { run M(); run S(); run PA(); run PB(); run Check() } }
