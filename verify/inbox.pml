/*
 * inbox.pml - osthread/internal/inbox/inbox.go: calls for one thread, which
 * sleeps while there is none
 *
 * Each caller in CALLS (a kind for each) makes ITER calls. A caller with a limit
 * may give up whenever it sleeps; a context may be done at any time. Calls are
 * reused: what is freed is the next caller's, and an abandoned one is free once
 * the server drops it, by the garbage collector. A park slot is one bit here,
 * see park.pml. The list is first in, first out.
 *
 *	CLOSE     Close(false) at any time, and then Close(true)
 *	POLLS     a function may poll the box once (Worker.Poll)
 *	KILL      C code may end the thread under a function; the joiner fails what
 *	          ran and closes the box
 *	TIMEOUTS  how often a limit of the server's own ends its sleep
 *	IDLE      the server sleeps in an Idler, which also returns once spuriously
 *
 * Properties: a call runs at most once; a caller gets nil if its function has
 * returned, a lost thread's error or Running only if the function has begun,
 * and any other error only if the function never runs; DoIfIdle adds to an
 * empty box; a wakeup finds an empty park slot of the right call; no caller
 * sleeps for ever, and with CLOSE the server ends (invalid end states).
 *
 * Mutants: M_ASLEEP_LATE, the server announces its sleep after it has released
 * the guard; M_NO_TAKE, a server whose sleep has timed out does not take a
 * wakeup that is on its way; M_KEEP_ASLEEP, a caller leaves the announcement to
 * the next; M_FINISH_LATE, Close marks the calls that it drops after it has
 * released the guard; M_CANCEL_LATE, so does the server with a call whose
 * context is done; M_BLIND, a caller that gives up too late to remove its call
 * abandons it without a compare-and-swap; M_FREE, it frees the abandoned call;
 * M_CLOSE_QUIET, Close does not wake the server; M_INNER, only the innermost
 * call of a lost thread fails.
 */
#define DO 0
#define TIMED 1
#define CONTEXT 2
#define IFIDLE 3
#define POST 4

#ifndef NC
#define NC 2
#endif
#ifndef CALLS
#define CALLS DO, TIMED
#endif
#ifndef ITER
#define ITER 1
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#ifndef NR
#define NR NC			/* calls in memory */
#endif
#ifdef CLOSE
#define END_SLEEP
#else
#define END_SLEEP end:
#endif
#define NONE 255
#define IDS (NC * ITER)

/* states of a call; FREE is in the pool */
#define FREE 0
#define WAITING 1
#define FINISHED 2
#define ABANDONED 3

/* what a call ends with, and what else Do returns */
#define NIL 1
#define LOST 2
#define SHUTDOWN 3
#define CANCELED 4
#define RUNNING 5
#define TIMEOUT 6
#define BUSY 7

byte state[NR], id[NR], err[NR], source[NR];
bit permit[NR], posted[NR];
byte list[NR], n;		/* under the guard, as the two that follow */
bit asleep, closed;
bit guard, serverPermit, done[NC];
byte begun[IDS], returned[IDS], result[IDS];

inline LOCK() { atomic { !guard -> guard = 1 } }
inline UNLOCK() { atomic { assert(!asleep || n == 0); guard = 0 } }

inline UNPARK(c) { atomic { assert(state[c] == FINISHED && !permit[c]); permit[c] = 1 } }

inline FREECALL(c) {
	d_step { assert(state[c] != FREE && !permit[c]); state[c] = FREE; id[c] = 0; err[c] = 0; source[c] = NONE; posted[c] = 0 }
}

#ifdef IDLE
inline WAKE() { serverPermit = 1 }
#else
inline WAKE() { atomic { assert(!serverPermit); serverPermit = 1 } }
#endif

/* r: the list's first, or NONE */
inline SHIFT() {
	d_step {
		if
		:: n == 0 -> r = NONE
		:: else ->
			r = list[0]; i = 0;
			do :: i + 1 < n -> list[i] = list[i + 1]; i++ :: else -> break od;
			n--; list[n] = 0; i = 0
		fi
	}
}

/* Call.Fail, and the end of Call.Run */
inline END(c, e) {
	d_step { assert(state[c] == WAITING || state[c] == ABANDONED); err[c] = e };
	if
	:: posted[c] -> FREECALL(c)
	:: else ->
		atomic {
			if
			:: state[c] == WAITING -> state[c] = FINISHED; x = 1
			:: else -> assert(state[c] == ABANDONED); x = 0
			fi
		};
		if
		:: x -> x = 0; UNPARK(c)
		:: else -> FREECALL(c)		/* the garbage collector */
		fi
	fi
}

/* pop: r is a call whose caller still waits, or NONE */
inline POP() {
	do
	:: SHIFT();
		if
		:: r == NONE -> break
		:: else ->
			if
			:: source[r] == NONE -> break
			:: else ->
				if
				:: !done[source[r]] -> break
				:: done[source[r]] ->
#ifdef M_CANCEL_LATE
					UNLOCK();
					END(r, CANCELED);
					LOCK()
#else
					END(r, CANCELED)
#endif
				fi
			fi
		fi
	od
}

/* Close. x: to wake the server; drops, k: the calls that are dropped */
inline CLOSEBOX(drop) {
	LOCK();
	closed = 1;
	do
	:: drop && n > 0 ->
		SHIFT();
#ifndef M_FINISH_LATE
		err[r] = SHUTDOWN;
		state[r] = FINISHED;
#endif
		drops[k] = r; k++
	:: else -> break
	od;
#ifdef M_CLOSE_QUIET
	x = 0;
#else
	x = asleep;
#endif
	asleep = 0;
	UNLOCK();
	if :: x -> WAKE() :: else fi;
	x = 0;
	do
	:: k > 0 ->
		r = drops[0];
		d_step { i = 0; do :: i + 1 < k -> drops[i] = drops[i + 1]; i++ :: else -> break od; k--; drops[k] = 0; i = 0 };
#ifdef M_FINISH_LATE
		err[r] = SHUTDOWN;
		state[r] = FINISHED;
#endif
		if
		:: posted[r] -> FREECALL(r)
		:: else -> UNPARK(r)
		fi
	:: else -> break
	od;
	r = 0
}

/* r was taken out to be run: its function has begun, for its caller. The caller has the guard. */
inline BEGIN() {
	d_step { assert(state[r] == WAITING); begun[id[r]]++; assert(begun[id[r]] == 1); running[depth] = r; depth++ }
}

proctype Server() {
	byte r, i, x, k, depth, timeouts;
	byte running[2], drops[NR];
#ifdef IDLE
	bit spurious;
#endif
	do
	:: depth == 0 ->	/* Next */
		LOCK();
		POP();
		if
		:: r != NONE -> BEGIN(); UNLOCK()
		:: r == NONE && closed -> UNLOCK(); goto over
		:: else ->
#ifdef M_ASLEEP_LATE
			UNLOCK();
			asleep = 1;
#else
			asleep = 1;
			UNLOCK();
#endif
			r = 0;
#ifdef IDLE
END_SLEEP		if
			:: atomic { serverPermit -> serverPermit = 0 }
			:: !spurious -> spurious = 1
			fi;
			LOCK();
			asleep = 0;
			UNLOCK()
#else
END_SLEEP		if
			:: atomic { serverPermit -> serverPermit = 0 }
			:: timeouts < TIMEOUTS -> timeouts++;
				LOCK();
				x = !asleep;
				asleep = 0;
				UNLOCK();
#ifndef M_NO_TAKE
				if :: x -> atomic { serverPermit -> serverPermit = 0 } :: else fi;
#endif
				x = 0
			fi
#endif
		fi
	:: depth > 0 ->
		if
		:: d_step { depth--; r = running[depth]; running[depth] = 0; returned[id[r]] = 1 };
			END(r, NIL);
			r = 0
#ifdef POLLS
		:: depth == 1 ->	/* TryNext */
			LOCK();
			POP();
			if :: r != NONE -> BEGIN() :: else fi;
			UNLOCK();
			r = 0
#endif
#ifdef KILL
		:: goto lost
#endif
		fi
	od;
#ifdef KILL
lost:	CLOSEBOX(1);
	do
	:: depth > 0 ->
		depth--; r = running[depth]; running[depth] = 0;
		END(r, LOST);
#ifdef M_INNER
		break
#endif
	:: else -> break
	od;
#endif
over:	assert(closed && n == 0)
}

proctype Caller(byte me; byte kind) {
	byte c, x, i, my, turn;
	bit out;
	do
	:: turn == ITER -> break
	:: else ->
		my = me * ITER + turn;
		atomic {
			(state[0] == FREE || (NR > 1 && state[1 % NR] == FREE) || (NR > 2 && state[2 % NR] == FREE));
			c = 0;
			do :: state[c] == FREE -> break :: else -> c++ od;
			assert(!permit[c]);
			state[c] = WAITING; id[c] = my;
			if :: kind == CONTEXT -> source[c] = me :: else fi;
			posted[c] = (kind == POST)
		};
		/* put */
		LOCK();
		if
		:: closed -> UNLOCK(); FREECALL(c); result[my] = SHUTDOWN; goto next
		:: !closed && kind == IFIDLE && !asleep -> UNLOCK(); FREECALL(c); result[my] = BUSY; goto next
		:: else
		fi;
		assert(kind != IFIDLE || n == 0);
		d_step { list[n] = c; n++; x = asleep };
#ifdef M_KEEP_ASLEEP
		guard = 0;
#else
		asleep = 0;
		UNLOCK();
#endif
		if :: x -> WAKE() :: else fi;
		x = 0;
		if :: kind == POST -> goto next :: else fi;
		/* the wait */
		if
		:: atomic { permit[c] -> permit[c] = 0 }
		:: atomic { kind == TIMED || (kind == CONTEXT && done[me]) -> x = 1 };
			LOCK();
			d_step {
				i = 0; out = 0;
				do
				:: i < n && list[i] == c -> out = 1; break
				:: i < n && list[i] != c -> i++
				:: i >= n -> break
				od;
				do :: out && i + 1 < n -> list[i] = list[i + 1]; i++ :: else -> break od;
				if :: out -> n--; list[n] = 0 :: else fi;
				i = 0
			};
			UNLOCK();
			if
			:: out -> out = 0; FREECALL(c); result[my] = TIMEOUT; goto next
			:: else
			fi;
#ifdef M_BLIND
			x = 0; state[c] = ABANDONED; assert(begun[my]); result[my] = RUNNING; goto next;
#endif
			atomic { if :: state[c] == WAITING -> state[c] = ABANDONED; x = 0 :: else -> assert(state[c] == FINISHED) fi };
			if
			:: !x -> assert(begun[my]); result[my] = RUNNING;
#ifdef M_FREE
				FREECALL(c);
#endif
				goto next
			:: else
			fi;
			x = 0;
			atomic { permit[c] -> permit[c] = 0 }
		fi;
		assert(state[c] == FINISHED && id[c] == my);
		d_step {
			result[my] = err[c];
			assert(result[my] >= NIL && result[my] <= CANCELED);
			assert(result[my] != NIL || returned[my]);
			assert(result[my] != LOST || (begun[my] && !returned[my]));
			assert(result[my] < SHUTDOWN || !begun[my])
		};
		FREECALL(c);
next:		x = 0; turn++
	od
}

proctype Context(byte who) { done[who] = 1 }

#ifdef CLOSE
proctype Closer() {
	byte r, i, x, k;
	byte drops[NR];
	CLOSEBOX(0);
	CLOSEBOX(1)
}
#endif

init {
	byte i, kinds[NC] = { CALLS };
	atomic {
		for (i : 0 .. NR - 1) { source[i] = NONE };
		run Server();
		for (i : 0 .. NC - 1) {
			run Caller(i, kinds[i]);
			if :: kinds[i] == CONTEXT -> run Context(i) :: else fi
		};
#ifdef CLOSE
		run Closer()
#endif
	};
	/* the server sleeps or has ended, and all others have ended */
	atomic {
		timeout;
		for (i : 0 .. IDS - 1) {
			assert(result[i] < SHUTDOWN || result[i] == RUNNING || !begun[i]);
			assert(result[i] != 0 || kinds[i / ITER] == POST);
		}
	}
}
