/*
 * executor.pml - osthread/executor/pool.go and member.go: submitters, threads,
 * the backlog, shutdown
 *
 * NS submitters submit ITER tasks each to a pool of at most MAX threads. A
 * critical section is one step; assign is three, since the number of returning
 * threads, which it loads three times, grows outside the guard. A thread and its
 * supervisor are one process. A task returns, with callbacks or without; panics,
 * after which its thread ends; or ends its thread at once, DIES times. So may C
 * code end an idle thread.
 *
 *	B              the bound of the backlog; UNBOUNDED
 *	IDLE_TIMEOUT   an idle thread may time out at any time
 *	TIMED          submitters that wait for room may give up at any time
 *	FAILS, BREAKS  how often a thread cannot be started, and OnStart fails
 *	CLOSE          Close at any time; NOW: and it cancels what has not begun
 *	CANCEL         the first task is cancelled at any time
 *
 * Properties: a task runs at most once; one whose Submit has returned nil ends,
 * and runs unless it is cancelled or a thread failed; one whose Submit has
 * failed never runs; no submitter sleeps for ever; Close returns, after all
 * tasks (invalid end states); the invariants in the comment of pool.go, in each
 * step that releases the guard.
 *
 * Mutants: M_IDLE_LATE, a thread goes idle in a critical section after the one
 * in which it found no task; M_TIMEOUT, a thread whose idle timeout has passed
 * ends even if a submitter has taken it out of idle; M_NO_SUCCESSOR, a thread
 * that ends has none; M_NO_RETURNING, a thread stops counting as returning
 * before it looks for work; M_EXPECT_ALL, a submitter starts a thread only if
 * none is expected, whatever is queued; M_NO_FILL, cancelling a queued task
 * admits no submitter; M_NO_ADMIT, a thread that takes a task admits none;
 * M_END_LATE, a thread is over for Close before it is reaped; M_KEEP_GIVEN,
 * reaping forgets the task that was given; M_LEAVE, a submitter that gives up
 * too late leaves although its task was admitted.
 */
#ifndef MAX
#define MAX 2
#endif
#ifndef NS
#define NS 3
#endif
#ifndef ITER
#define ITER 1
#endif
#ifndef NM
#define NM (MAX + 1)		/* records of threads; one may be reaped late */
#endif
#ifndef B
#define B 1
#endif
#ifndef TIMED
#define TIMED 0
#endif
#ifndef DIES
#define DIES 0
#endif
#ifndef FAILS
#define FAILS 0
#endif
#ifndef BREAKS
#define BREAKS 0
#endif
#define NT (NS * ITER + 1)	/* task 0 is none */
#define NONE 255

#define PENDING 0
#define RUNNING 1
#define FINISHED 2
#define CANCELLED 3

/* where a task is */
#define ELSEWHERE 0
#define WAITING 1
#define QUEUED 2

/* what assign and Submit return */
#define GO 0
#define ACCEPTED 1
#define REFUSED 2
#define FULL 3
#define GIVEN 4
#define START 5

#define ADMITTED 1

#ifdef CLOSE
#define END_IDLE
#else
#define END_IDLE end_idle:
#endif

bit guard;
/* Under the guard; only returning grows outside. */
bit closed, broken;
byte threads, starting, ending, reaping, returning;
byte backlog[NT], nq;
byte waiters[NS], nw;
byte idle[NM], ni;		/* the last is the first */
byte given[NM], where[NT];
bit owed[NM];			/* taken out of idle, and not unparked */
bit registered[NM], expected[NM], isIdle[NM];

byte tstate[NT], ran[NT], result[NT];
byte cause[NT];			/* 1 + the thread whose failure ended it */
byte task[NS], got[NS];
bit permit[NS], mpermit[NM], used[NM], go[NM];
byte begun[NM];
byte dies, fails, breaks;
bit over;

#define EXPECTED (starting + returning)
#ifdef UNBOUNDED
#define ROOM true
#else
#define ROOM (nq < B + EXPECTED + ending)
#endif

inline INVARIANTS() {
	assert(threads <= MAX);
	assert(nq + nw == 0 || threads > 0);
	assert(nq <= EXPECTED || (ni == 0 && (threads == MAX || fails > 0)));
	assert(nw == 0 || (nq >= B && ni == 0))
}
inline UNLOCK() { INVARIANTS(); guard = 0 }

inline QUEUE(t) { where[t] = QUEUED; backlog[nq] = t; nq++ }

/* shifts list, of n, down to place k */
#define SHIFT(list, n, k) do :: k + 1 < n -> list[k] = list[k + 1]; k++ :: else -> break od; n--; list[n] = 0; k = 0

/* woken: the submitters to wake, by bits */
inline ADMIT() {
	if
	:: nw > 0 ->
		k = waiters[0];
		woken = woken | (1 << k);
		QUEUE(task[k]);
		k = 0; SHIFT(waiters, nw, k)
	:: else
	fi
}
inline FILL() { do :: nw > 0 && ROOM -> ADMIT() :: else -> break od }

inline WAKE(how) {
	do
	:: woken > 0 ->
		d_step {
			k = 0;
			do :: woken & (1 << k) -> break :: else -> k++ od;
			woken = woken - (1 << k);
			assert(!permit[k]);
			got[k] = how; permit[k] = 1; k = 0
		}
	:: else -> break
	od
}

inline UNPARK(m) { d_step { assert(!mpermit[m] && owed[m]); owed[m] = 0; mpermit[m] = 1 } }

inline DROPIDLE(m) {
	isIdle[m] = 0; k = 0;
	do :: idle[k] != m -> k++ :: else -> break od;
	SHIFT(idle, ni, k)
}

/* tasks: those in the backlog, by bits; woken: the submitters that wait; idlers */
inline TAKEQUEUED() {
	do :: nq > 0 -> nq--; k = backlog[nq]; where[k] = ELSEWHERE; tasks = tasks | (1 << k); backlog[nq] = 0 :: else -> break od; k = 0
}
inline TAKEWAITING() {
	do :: nw > 0 -> nw--; k = waiters[nw]; where[task[k]] = ELSEWHERE; woken = woken | (1 << k); waiters[nw] = 0 :: else -> break od; k = 0
}
inline TAKEIDLE() {
	do :: ni > 0 -> ni--; isIdle[idle[ni]] = 0; owed[idle[ni]] = 1; idlers = idlers | (1 << idle[ni]); idle[ni] = 0 :: else -> break od
}
inline UNPARKALL() {
	do
	:: idlers > 0 ->
		d_step {
			k = 0;
			do :: idlers & (1 << k) -> break :: else -> k++ od;
			idlers = idlers - (1 << k);
			assert(!mpermit[k] && owed[k]); owed[k] = 0;
			mpermit[k] = 1; k = 0
		}
	:: else -> break
	od
}

/* m: the new thread's record */
inline ADD(m) {
	m = 0;
	do :: used[m] -> m++ :: else -> break od;
	assert(m < NM);
	used[m] = 1; registered[m] = 1; expected[m] = 1; threads++; starting++
}

/* unqueue and the CAS before it */
inline CANCELTASK(t) {
	atomic { if :: tstate[t] == PENDING -> tstate[t] = CANCELLED; k = 1 :: else -> k = 0 fi };
	if
	:: k -> k = 0;
		atomic {
			!guard ->
			if
			:: where[t] == QUEUED ->
				where[t] = ELSEWHERE;
				do :: backlog[k] != t -> k++ :: else -> break od;
				SHIFT(backlog, nq, k);
#ifndef M_NO_FILL
				FILL()
#endif
			:: else
			fi;
			UNLOCK()
		};
		WAKE(ADMITTED)
	:: else
	fi
}

/* o: ACCEPTED, REFUSED, GIVEN, START or, with the guard held, FULL */
inline ASSIGN() {
	atomic {
		!guard -> guard = 1;
		if
		:: closed || broken -> o = REFUSED; UNLOCK()
		:: else ->
			if
			:: nw == 0 && nq < returning -> QUEUE(t); o = ACCEPTED; UNLOCK()
			:: !(nw == 0 && nq < returning) && ni > 0 -> ni--; m = idle[ni]; idle[ni] = 0; isIdle[m] = 0; owed[m] = 1; given[m] = t; o = GIVEN; UNLOCK()
			:: else -> o = GO
			fi
		fi
	};
	if
	:: o == GO ->
		atomic {
			if
#ifdef M_EXPECT_ALL
			:: nw == 0 && threads < MAX && EXPECTED == 0 ->
#else
			:: nw == 0 && threads < MAX && nq >= EXPECTED ->
#endif
				ADD(m); QUEUE(t); o = START; UNLOCK()
			:: else
			fi
		};
		if
		:: o == GO -> atomic { if :: nw == 0 && ROOM -> QUEUE(t); o = ACCEPTED; UNLOCK() :: else -> o = FULL fi }
		:: else
		fi
	:: else
	fi;
	if
	:: o == GIVEN -> UNPARK(m); o = ACCEPTED; m = 0
	:: o == START ->
		go[m] = 1;
		atomic { begun[m] > 0 -> o = ACCEPTED; if :: begun[m] == 2 && tstate[t] == FINISHED && cause[t] == m + 1 -> o = REFUSED :: else fi; begun[m] = 0 };
		m = 0
	:: else
	fi
}

proctype Submitter(byte me) {
	byte t, o, m, k, turn;
	bit out;
	do
	:: turn == ITER -> break
	:: else ->
		t = me * ITER + turn + 1;
		ASSIGN();
		if
		:: o == FULL -> guard = 0;
			ASSIGN();
			if
			:: o == FULL ->
				atomic { task[me] = t; where[t] = WAITING; waiters[nw] = me; nw++; UNLOCK() };
				out = 0;
				if
				:: permit[me]
				:: TIMED ->
					atomic {
						!guard ->
						do :: k < nw && waiters[k] != me -> k++ :: else -> break od;
						if :: k < nw -> SHIFT(waiters, nw, k); where[t] = ELSEWHERE; out = 1 :: else -> k = 0 fi;
#ifdef M_LEAVE
						out = 1;
#endif
						UNLOCK()
					}
				fi;
				if
				:: !out -> atomic { permit[me] -> permit[me] = 0; o = got[me]; got[me] = 0; task[me] = 0 }
				:: else -> task[me] = 0; out = 0
				fi
			:: else
			fi
		:: else
		fi;
		result[t] = o;
		t = 0; turn++
	od
}

inline ARRIVE() {
	given[me] = 0;
	if :: expected[me] -> expected[me] = 0; starting-- :: else fi;
	if :: back -> back = 0; returning-- :: else fi
}

/* t: the task to run, or 0. The guard is released. */
inline POP() {
#ifndef M_NO_ADMIT
	if :: nq == 0 -> ADMIT() :: else fi;
#endif
	if
	:: nq > 0 ->
		t = backlog[0]; k = 0; SHIFT(backlog, nq, k); where[t] = ELSEWHERE;
#ifndef M_NO_ADMIT
		FILL()
#endif
	:: else -> t = 0
	fi
}
inline UNREGISTER() {
	ARRIVE();
	if :: isIdle[me] -> DROPIDLE(me) :: else fi;
	if :: ends -> ends = 0; ending-- :: else fi;
	threads--; reaping++; registered[me] = 0
}
/* task.fail for t, by this thread's failure */
inline FAIL(t) {
	d_step { if :: tstate[t] == PENDING -> cause[t] = 1 + me; tstate[t] = FINISHED :: else fi }
}
inline FAILALL() {
	k = 1;
	do
	:: k < NT -> if :: tasks & (1 << k) -> FAIL(k) :: else fi; k++
	:: else -> break
	od;
	tasks = 0; k = 0
}

proctype Member(byte me) {
	byte t, k, x, g, tasks, woken, idlers;
	bit back, ends, started, last;
end_unborn:
	do
	:: atomic { go[me] -> go[me] = 0 };
		if
		:: fails < FAILS ->
			atomic {
				!guard -> fails++; UNREGISTER();
				if :: threads == 0 -> TAKEQUEUED(); TAKEWAITING() :: else fi;
				UNLOCK()
			};
			FAILALL();
			WAKE(REFUSED);
			begun[me] = 2;
			goto late
		:: begun[me] = 1
		fi;
		if
		:: breaks < BREAKS -> breaks++; goto reap
		:: started = 1
		fi;
		do
		:: atomic {
				!guard -> ARRIVE(); POP();
				if
				:: t > 0
				:: t == 0 && (closed || broken)
				:: else ->
#ifndef M_IDLE_LATE
					idle[ni] = me; ni++; isIdle[me] = 1
#endif
				fi;
				x = (t == 0 && (closed || broken));
				UNLOCK()
			};
			if
			:: x -> x = 0; break
			:: t > 0 -> WAKE(ADMITTED)
			:: else ->
#ifdef M_IDLE_LATE
				atomic { !guard -> idle[ni] = me; ni++; isIdle[me] = 1 };
#endif
END_IDLE			if
				:: atomic { mpermit[me] -> mpermit[me] = 0 }
#ifdef IDLE_TIMEOUT
				:: atomic {
						!guard ->
						if
						:: isIdle[me] -> DROPIDLE(me); ends = 1; ending++
						:: else
						fi;
						UNLOCK()
					};
					if
					:: ends -> break
#ifdef M_TIMEOUT
					:: else -> mpermit[me]; mpermit[me] = 0; given[me] = 0; break
#else
					:: else -> atomic { mpermit[me] -> mpermit[me] = 0 }
#endif
					fi
#endif
				:: dies < DIES -> dies++; break
				fi;
				t = given[me]
			fi;
			if
			:: t == 0
			:: else ->
				atomic { if :: tstate[t] == PENDING -> tstate[t] = RUNNING; ran[t]++; assert(ran[t] == 1); x = 1 :: else -> x = 0 fi };
				if
				:: x -> x = 0;
					if
					:: returning++;
						tstate[t] = FINISHED;
#ifdef M_NO_RETURNING
						returning--;
#else
						back = 1;
#endif
						t = 0
					:: tstate[t] = FINISHED; t = 0		/* it has callbacks */
					:: atomic { dies < DIES && !guard -> dies++; ends = 1; ending++; UNLOCK() };	/* a panic */
						tstate[t] = FINISHED; t = 0;
						break
					:: dies < DIES -> dies++; goto reap
					fi
				:: else -> t = 0
				fi
			fi
		od;
		/* t is the task that did not return, if any */
reap:		atomic {
			!guard -> g = given[me];
			UNREGISTER();
			x = NONE;
			if
			:: !started -> broken = 1; TAKEQUEUED(); TAKEWAITING(); TAKEIDLE()
			:: else ->
#ifndef M_NO_SUCCESSOR
				if
				:: nq + nw > EXPECTED -> ADD(x)
				:: else
				fi
#endif
			fi;
#ifdef M_END_LATE
			reaping--; if :: closed && threads == 0 && reaping == 0 -> over = 1 :: else fi;
#endif
			UNLOCK()
		};
		if :: t > 0 -> tstate[t] = FINISHED; t = 0 :: else fi;
#ifndef M_KEEP_GIVEN
		if :: g > 0 -> FAIL(g) :: else fi;
#endif
		g = 0;
		FAILALL();
		WAKE(REFUSED);
		UNPARKALL();
		if
		:: x != NONE -> go[x] = 1; atomic { begun[x] > 0 -> begun[x] = 0 }
		:: else
		fi;
		x = 0;
late:
#ifndef M_END_LATE
		atomic {
			!guard -> reaping--;
			last = (closed && threads == 0 && reaping == 0);
			UNLOCK()
		};
		if :: last -> last = 0; over = 1 :: else fi;
#endif
		started = 0;
		atomic { begun[me] == 0 && !owed[me] -> assert(!mpermit[me] || dies > 0); mpermit[me] = 0; used[me] = 0 }
	od
}

proctype Closer() {
	byte k, woken, idlers, tasks, i;
	bit last;
	atomic {
		!guard -> closed = 1;
		TAKEIDLE();
		TAKEWAITING();
		last = (threads == 0 && reaping == 0);
		UNLOCK()
	};
	WAKE(REFUSED);
	UNPARKALL();
	if :: last -> over = 1 :: else fi;
#ifdef NOW
	atomic {
		!guard ->
		for (i : 0 .. NM - 1) { if :: registered[i] -> tasks = tasks | (1 << given[i]) :: else fi };
		i = 0;
		do :: i < nq -> tasks = tasks | (1 << backlog[i]); i++ :: else -> break od
	};
	i = 1;
	do
	:: i < NT -> if :: tasks & (1 << i) -> CANCELTASK(i) :: else fi; i++
	:: else -> break
	od;
	tasks = 0; i = 0;
#endif
	over;
	assert(nq == 0 && nw == 0);
	i = 1;
	do
	:: i < NT -> assert(tstate[i] != RUNNING && (tstate[i] != PENDING || result[i] != ACCEPTED)); i++
	:: else -> break
	od
}

proctype Canceler() {
	byte k, woken;
	CANCELTASK(1)
}

init {
	byte i;
	atomic {
		for (i : 0 .. NM - 1) { run Member(i) };
		for (i : 0 .. NS - 1) { run Submitter(i) };
#ifdef CLOSE
		run Closer();
#endif
#ifdef CANCEL
		run Canceler()
#endif
	};
	atomic {
		timeout;
		for (i : 1 .. NT - 1) {
			assert(result[i] != GO);
			assert(result[i] != ACCEPTED || tstate[i] == FINISHED || tstate[i] == CANCELLED);
			assert(result[i] == ACCEPTED || ran[i] == 0);
			assert(tstate[i] != FINISHED || ran[i] == 1 || cause[i] > 0)
		}
	}
}
