/*
 * join.pml - join.go, record.go, lost.go and internal/waits: joiners of a
 * thread, the record's row, and what is asked by an old handle
 *
 * Thread 1 ends and leaves the system. NJ joiners call Join JOINS times each;
 * TIMED is a mask of those that may give up at any time. A critical section of
 * the thread's mu, of the table of records and of a wait's record is one step.
 * tryjoin cannot block, so it is in such a step. A joiner that polls waits here
 * until the poll would succeed. pt is what pthread knows of the thread.
 *
 *	DETACH   a caller of Detach at any time
 *	LOST     C code may end the thread by a system call: two callers that find it
 *	         gone end its record, and so does one that was given its slot, as
 *	         that of an attached thread (collectExited)
 *	REUSE    thread 2 gets the row once it is free, and must be asked by its own
 *	         slot; others ask thread 1 by its old slot at any time
 *
 * Properties: a thread is joined or detached exactly once, and never used by
 * pthread's functions afterwards, except that a lost one is leaked; a join that
 * returns nil finds it gone, and the one result; no joiner sleeps or polls for
 * ever (invalid end states); a row is freed once, by its own thread or after its
 * end, so that the record of thread 2 stays; no request for thread 1 replaces
 * or becomes one of thread 2.
 *
 * Mutants: M_NO_LIST, a joiner goes into the list in a critical section after
 * the one in which it found the thread running; M_CLOCK, a joiner that gives up
 * does not look whether finish has taken it out of the list; M_KEEP, one that
 * gives up between ended and gone keeps the claim; M_JOIN_TWICE, the claim stays
 * after tryjoin; M_DETACH_AGAIN, Detach of an ended thread does not look for the
 * claim; M_BOTH, the thread detaches itself although a joiner waits; M_EAGER, a
 * record is ended without asking whether the thread is gone; M_LATE_CHECK, that
 * the record has not ended is checked in a critical section before; M_STALE, a
 * slot's row is taken for the slot's record; M_NO_OWNER, a request is not
 * compared with the row's owner.
 */
#ifndef NJ
#define NJ 2
#endif
#ifndef JOINS
#define JOINS 1
#endif
#ifndef TIMED
#define TIMED 0
#endif
#define W (NJ * JOINS)

/* pthread's */
#define JOINABLE 0
#define JOINED 1
#define DETACHED 2

/* the claim */
#define NONE 0
#define JOIN 1
#define GONE 2

byte pt, claim;
bit ended, gone, lost, detached;
bit in[W], permit[W];		/* the list of joiners; their waiters, never used again */
byte result;
byte row = 1;			/* the record in the row: that of thread 1, 2 or none */
bit unused;			/* the row has been given back */
byte owner = 1, asked;		/* of the wait's record: whose, and for which thread a request is */
bit told[3];			/* a request was made for that thread, as its owner */

inline CHECK() { assert(claim != JOIN || pt == JOINABLE) }

/* joiners.end; woken: those to wake */
inline ENDLIST() {
	i = 0;
	do
	:: i < W -> if :: in[i] -> in[i] = 0; woken = woken | (1 << i) :: else fi; i++
	:: else -> break
	od;
	i = 0;
	if :: woken > 0 -> claim = JOIN :: else fi
}

inline WAKE() {
	do
	:: i < W && (woken & (1 << i)) -> permit[i] = 1; i++
	:: i < W && !(woken & (1 << i)) -> i++
	:: i >= W -> break
	od;
	i = 0; woken = 0
}

/* records.remove */
inline REMOVE(t) {
	atomic {
		if :: owner == t -> owner = 0 :: else fi;
		if :: asked == t -> asked = 0 :: else fi
	};
	atomic { assert(row == t && !unused); row = 0; unused = 1 }
}

inline DROPCLAIM() { if :: claim == JOIN -> assert(pt == JOINABLE); pt = DETACHED; claim = NONE :: else fi }

proctype Thread() {
	byte i, woken;
	bit some;
#ifdef LOST
	if
	:: atomic { lost = 1; gone = 1 }; goto left
	:: skip
	fi;
#endif
	REMOVE(1);
	atomic { assert(!ended); result = 1; ended = 1; ENDLIST(); some = (woken > 0); CHECK() };
	WAKE();
	if
#ifdef M_BOTH
	:: true ->
#else
	:: !some ->
#endif
		atomic { assert(pt == JOINABLE); pt = DETACHED; CHECK() }
	:: some
	fi;
	gone = 1;
left:	skip
}

#define ISGONE (claim == GONE || gone)

proctype Joiner(byte me) {
	byte turn, my;
	bit timed, out;
	timed = (TIMED >> me) & 1;
	do
	:: turn == JOINS -> break
	:: else ->
		my = me * JOINS + turn;
		if
		:: detached -> goto next
		:: !detached
		fi;
		/* awaitEnd */
#ifdef M_NO_LIST
		out = ended;
		if :: !out -> in[my] = 1 :: else fi;
#else
		atomic { out = ended; if :: !out -> in[my] = 1 :: else fi };
#endif
		if
		:: out
		:: else ->
			if
			:: permit[my]
			:: timed ->
#ifdef M_CLOCK
				out = 1;
#else
				atomic { out = in[my]; in[my] = 0 };
#endif
				if :: out -> out = 0; goto next :: else fi
			fi
		fi;
		/* awaitGone */
		if
		:: atomic {
				ended && ISGONE ->
				if
				:: claim == JOIN ->
					assert(pt == JOINABLE && gone);
					pt = JOINED;
#ifndef M_JOIN_TWICE
					claim = NONE
#endif
				:: else
				fi;
#ifdef M_JOIN_TWICE
				if :: claim != JOIN -> claim = GONE :: else fi
#else
				claim = GONE
#endif
			}
		:: atomic { ended && !ISGONE && timed -> skip };
#ifndef M_KEEP
			atomic { DROPCLAIM(); CHECK() };
#endif
			goto next
		fi;
		assert(gone && result > 0);
		assert(result == 1 + lost);
next:		out = 0; turn++
	od
}

#ifdef DETACH
proctype Detacher() {
	atomic {
		detached = 1;
#ifdef M_DETACH_AGAIN
		if :: ended -> assert(pt == JOINABLE); pt = DETACHED; claim = NONE :: else fi;
#else
		if :: ended -> DROPCLAIM() :: else fi;
#endif
		CHECK()
	}
}
#endif

#ifdef LOST
/* endLost of thread t */
inline ENDLOST(t) {
	assert(t == 1);
#ifdef M_LATE_CHECK
	some = !ended;
	atomic { if :: some -> ended = 1; result = 2; ENDLIST(); claim = GONE :: else fi };
#else
	atomic { some = !ended; if :: some -> ended = 1; result = 2; ENDLIST(); claim = GONE :: else fi };
#endif
	if :: some -> REMOVE(t); WAKE() :: else fi;
	some = 0
}

/* endIfGone, by a handle */
proctype Noticer() {
	byte i, woken;
	bit some;
end:	if
	:: !ended ->
#ifdef M_EAGER
		skip;
#else
		gone;
#endif
		ENDLOST(1)
	:: ended
	fi
}

/* collectExited, by a slot */
proctype Collector() {
	byte i, woken, t;
	bit some;
end:	lost;
	t = row;
	if
#ifdef M_STALE
	:: t != 0 -> ENDLOST(t)
#else
	:: t == 1 -> ENDLOST(t)
#endif
	:: else
	fi
}
#endif

#ifdef REUSE
inline ASK(t) {
	atomic {
		if
#ifdef M_NO_OWNER
		:: true -> asked = t; told[t] = 1
#else
		:: owner == t -> asked = t; told[t] = 1
#endif
		:: else
		fi
	}
}
proctype Asker() { ASK(1) }

proctype Second() {
	atomic { unused -> unused = 0; owner = 2 };	/* records.add has the table's mu */
	row = 2;
	ASK(2);
	assert(told[2] && row == 2);
	/* it finds the request, unless one for another thread has replaced it */
	atomic { asked == 2 -> asked = 0 };
	assert(row == 2 && owner == 2)
}
#endif

init {
	byte i;
	atomic {
		run Thread();
		for (i : 0 .. NJ - 1) { run Joiner(i) };
#ifdef DETACH
		run Detacher();
#endif
#ifdef LOST
		run Noticer();
		run Noticer();
		run Collector();
#endif
#ifdef REUSE
		run Asker();
		run Second();
#endif
	};
	atomic {
		timeout;
		assert(gone && (ended || lost) && (!ended || unused || row == 2 || row == 0));
		assert(pt != JOINABLE || lost);
		assert(row != 1)
	}
}
