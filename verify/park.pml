/*
 * park.pml - internal/park/park.go and internal/wait/sleep.go: how a goroutine
 * sleeps and is woken
 *
 * One owner waits in a queue until it has been served U times; a waker serves
 * it. Each wait is of one of three kinds: under the guard, which the scheduler
 * unlocks once the goroutine is parked (ParkUnder); by the word, with a timer;
 * by the word and a channel, with a timer and a context (parkSelecting). Of the
 * last two kinds there are B. A timer may fire at any time, also long after its
 * sleep. The queue decides how a wait ended: see Served.
 *
 * Properties: no wakeup is lost (an invalid end state); a wakeup finds a
 * goroutine that is parked, or the channel empty, so none is sent twice; the
 * channel and the word are empty between waits.
 *
 * Mutants: M_UNLOCK_FIRST, the guard is unlocked before the goroutine is parked;
 * M_NO_RECEIVE, an owner whose context is done leaves the value that was sent;
 * M_BLIND, it does not compare the word; M_NUMBER, a timer does not compare the
 * number of its sleep.
 */
#ifndef U
#define U 2
#endif
#ifndef B
#define B 2
#endif

#define EMPTY 0
#define PERMIT 1
#define PARKING 2
#define IN_SCHEDULER 3
#define EXPIRED 4
#define CANCELED 5
#define SELECTING 6

byte kind, number;		/* the word */
bit parked, sent;		/* in the scheduler; a value in the channel */
bit guard, queued, under, done;
byte got, fired;

inline WAKE(s) {
	if
	:: s == IN_SCHEDULER -> atomic { assert(parked); parked = 0 }
	:: s == SELECTING -> atomic { assert(!sent); sent = 1 }
	:: else
	fi
}

proctype Timer(byte mine) {
	byte s;
	atomic {
		s = kind;
		if
#ifdef M_NUMBER
		:: s == PARKING || s == IN_SCHEDULER || s == SELECTING -> kind = EXPIRED
#else
		:: number == mine && (s == PARKING || s == IN_SCHEDULER || s == SELECTING) -> kind = EXPIRED
#endif
		:: else -> s = EMPTY
		fi
	};
	WAKE(s);
	fired++
}

proctype Context() { done = 1 }

proctype Waker() {
	byte i, s;
	bit u;
	do
	:: i == U -> break
	:: else ->
		atomic { (!guard && queued) -> queued = 0; u = under };
		if
		:: u -> under = 0; atomic { assert(parked); parked = 0 }
		:: else -> atomic { s = kind; kind = PERMIT }; WAKE(s)
		fi;
		i++
	od
}

/* the word is EMPTY or PERMIT: a sleep that only Unpark ends */
inline PARK() {
	atomic {
		if
		:: kind == PERMIT
		:: else -> assert(kind == EMPTY); number++; kind = IN_SCHEDULER; parked = 1
		fi
	};
	!parked;
	atomic { assert(kind == PERMIT); kind = EMPTY }
}

proctype Owner() {
	byte limited, o;
	bit left;
	do
	:: got == U -> break
	:: else ->
		assert(kind == EMPTY && !sent && !parked && !queued && !under);
		if
		:: atomic { !guard -> guard = 1; queued = 1; under = 1 };
#ifdef M_UNLOCK_FIRST
			guard = 0; parked = 1;
#else
			parked = 1; guard = 0;
#endif
			!parked; got++
		:: limited < B -> limited++; left = 0;
			atomic { !guard -> queued = 1 };
			if
			:: skip; atomic {
				if
				:: kind == PERMIT
				:: else -> number++; kind = PARKING; run Timer(number)
				fi };
				atomic { if :: kind == PARKING -> kind = IN_SCHEDULER; parked = 1 :: else fi };
				!parked
			:: skip; atomic {
				if
				:: kind == PERMIT -> o = 0
				:: else -> number++; kind = SELECTING; o = 1; run Timer(number)
				fi };
				if
				:: o && sent -> sent = 0
				:: o && done ->
#ifdef M_BLIND
					kind = CANCELED
#else
					if
					:: atomic { kind == SELECTING -> kind = CANCELED }
					:: atomic { kind != SELECTING ->
#ifdef M_NO_RECEIVE
						skip
#else
						skip }; atomic { sent -> sent = 0
#endif
						}
					fi
#endif
				:: !o
				fi
			fi;
			atomic { o = kind; kind = EMPTY };
			if
			:: o == PERMIT -> got++
			:: else ->
				assert(o == EXPIRED || o == CANCELED);
				atomic { !guard -> if :: queued -> queued = 0; left = 1 :: else fi };
				if :: left :: else -> PARK(); got++ fi
			fi
		fi
	od;
	assert(kind == EMPTY && !sent && !parked && !queued)
}

init { atomic { run Owner(); run Waker(); run Context() } }
