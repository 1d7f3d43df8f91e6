/*
 * rwlock.pml - osthread/rwlock.go: readers, writers, retries and handoff,
 * upgrade and downgrade
 *
 * Each swap, addition and and-not of the word is a step of its own. The guard
 * is a lock that is held over several such steps, while other threads acquire
 * and unlock without it. Time is a free choice: a node may be found starving at
 * any check and stays so, a timed waiter may give up whenever it sleeps or its
 * retry has failed. FAIR: nodes are starving from the start. PREFER is
 * PreferReaders. PENDING counts the threads that have unlocked, saw a flag, and
 * are about to take the guard. A waiter that puts itself back is in front here;
 * in the program, before the waiters that came later.
 *
 * EXCESS: another thread calls RUnlock once, in a step that finds no reader, and
 * undoes that.
 *
 * AGAIN is a mask of readers that acquire once more what they hold. A newcomer
 * does not pass a waiting writer, so only a reader with a limit may do that, or
 * any with PREFER.
 *
 * Properties: one writer, or readers; no thread sleeps for ever (invalid end
 * states); whenever the guard is released and the queue is not empty, a thread
 * holds the lock, retries or is about to take the guard, and the flags are
 * true; with FAIR no newcomer passes the queue, but for readers with PREFER.
 *
 * The flag rwWatched is not modelled. A holder sets it once, and nothing clears
 * it. It makes swaps and tests of the whole word fail, after which a slow path
 * follows, as it may at any time; that asks for the other flags one by one.
 *
 * Mutants, each of which spin rejects:
 *   M_GIVE_BACK     a waiter that gives up after a retry lets no other in: an
 *                   unlock that left it to that retry has woken no thread
 *   M_LATE_MARK     the flags are set after the load that found the lock held,
 *                   not in the same step
 *   M_RETRY_LATE    a waiter that puts itself back after a retry clears
 *                   rwRetrying after the load that found the lock held, not in
 *                   the same step
 *   M_LEAVE         a waiter that times out leaves although it was woken to
 *                   retry
 *   M_JOIN          a reader that retries acquires while a writer holds the lock
 *   M_TWO_UP        a second upgrader is not refused: both wait for the other
 *   M_UP_LAST       an upgrader that gives up leaves the lock closed to those
 *                   that it kept out
 *   M_OPEN          a starving head does not close the lock to newcomers
 *   M_UNDER         a reader acquires while an RUnlock too many is not undone
 *   M_UNDER_DOWN    a writer downgrades then
 *   M_UNDER_QUIET   an RUnlock too many calls no release once it is undone
 *   M_PREFER_STARVING  with PREFER a reader does not pass a starving writer
 *   M_PREFER_WRITERS   with PREFER a reader does not pass any waiting writer
 */
#ifndef NT
#define NT 3
#endif
#ifndef PREFER
#define PREFER 0
#endif
#ifndef FAIR
#define FAIR 0
#endif
#define READ 0
#define WRITE 1
#define UP 2
#define RETRY 1
#define LOCK 2
#define NONE 255

byte readers;			/* with these: the word */
bit under;			/* an RUnlock too many is not undone: readers is one less */
bit written, queued, writersf, starving, retryf;
bit g;				/* the guard */
byte q[NT], n, retries, writers, up = NONE, pending;
bit inq[NT], perm[NT], old[NT];
byte what[NT];
byte got[NT];
byte rd, wr;			/* the holders, by their own count */

#define NEGATIVE (readers < under)	/* the count in the word is readers - under */
#ifdef M_UNDER
#define REFUSES 0
#else
#define REFUSES NEGATIVE
#endif
#define HELD (written || readers > 0)
#if defined(M_PREFER_STARVING)
#define PASSES (PREFER && !starving)
#elif defined(M_PREFER_WRITERS)
#define PASSES (PREFER && !starving && !writersf)
#else
#define PASSES PREFER
#endif
#define MAYREAD (!written && !REFUSES && (PASSES || (!starving && (!writersf || readers == 0))))
#define MAYWRITE (!written && readers == under && !starving)
#define MAYENTER(x) ((x == WRITE && MAYWRITE) || (x == READ && MAYREAD))
/* woken to retry, a reader stood before the waiting writers */
#define MAYRETRY(x) ((x == WRITE && MAYWRITE) || (x == READ && !written && !REFUSES && (PREFER || !starving)))

inline ENTER(x) { if :: x == WRITE -> assert(!HELD); written = 1 :: else -> assert(!written); readers++ fi }
inline INORDER(x) { assert(!FAIR || n == 0 || (PREFER && x == READ)) }
inline GLOCK() { atomic { g == 0 -> g = 1 } }
inline GUNLOCK() {
	atomic {
		assert(n == 0 || (queued && (HELD || under || retries > 0 || pending > 0)));
		assert(writersf || writers == 0);
		g = 0
	}
}

inline UNLINK(w) {
	k = 0;
	do :: q[k] != w -> k++ :: else -> break od;
	do :: k + 1 < n -> q[k] = q[k + 1]; k++ :: else -> break od;
	n--; q[n] = 0; inq[w] = 0; k = 0
}

inline AGE(w) { if :: old[w] = 1 :: skip fi }

inline TIDY() {
	atomic {
		if
		:: n == 0 && retries == 0 -> queued = 0
		:: n == 0 && retries > 0 -> if :: queued = 0 :: skip fi	/* kept on one processor */
		:: else
		fi;
		if :: writers == 0 -> writersf = 0 :: else fi;
		if :: n == 0 -> starving = 0 :: n > 0 && !old[q[0]] -> starving = 0 :: else fi;
		if :: retries == 0 -> retryf = 0 :: else fi
	}
}

/* x, c: what the next waiters want, and their number */
inline AHEAD() {
	h = 0; c = 0; x = READ;
	do
	:: h < n && what[q[h]] == READ -> c++; h++
	:: h < n && what[q[h]] != READ && PREFER -> h++
	:: else -> break
	od;
	if :: c == 0 && n > 0 -> x = what[q[0]]; c = 1 :: else fi;
	h = 0
}

inline TAKE(how) {
	h = 0;
	do
	:: c > 0 && what[q[h]] == x -> w = q[h]; UNLINK(w); got[w] = how; perm[w] = 1; c--
	:: c > 0 && what[q[h]] != x -> h++
	:: c == 0 -> break
	od;
	h = 0; w = 0
}

/* The choice and the waking are steps under the guard; the swaps of the word are steps against all others. */
inline LETIN() {
	TIDY();
	if :: n > 0 -> AGE(q[0]) :: else fi;
	d_step { AHEAD() };
	if
	:: c == 0 -> skip
	:: c > 0 && (starving || old[q[0]]) ->
		atomic {
			if
			:: written || NEGATIVE || (x == WRITE && readers != under) || (x == UP && readers != under + 1) ->
#ifndef M_OPEN
				starving = 1
#else
				skip
#endif
			:: else ->
				if
				:: x == WRITE -> assert(!HELD); written = 1; writers--
				:: x == UP -> readers = 0; written = 1; up = NONE
				:: else -> readers = readers + c
				fi;
				TAKE(LOCK)
			fi
		}
	:: c > 0 && !(starving || old[q[0]]) ->
		if
		:: retries == 0 && MAYRETRY(x) -> d_step { retries = c; retryf = 1; TAKE(RETRY) }
		:: else
		fi
	fi;
	c = 0; x = 0;
	TIDY();
	GUNLOCK()
}

/* An unlock calls release, and may do so during a retry: one in agingInterval does. */
inline SEES() {
	if
	:: queued -> see = 1
	:: !queued || (retryf && !starving) -> see = 0
	fi;
	pending = pending + see
}

inline RELEASE(sees) {
	if
	:: sees ->
		GLOCK();
		pending--;
		LETIN()
	:: else
	fi
}

inline FORGET() { retries--; if :: what[me] == WRITE -> writers-- :: else fi }

/* r: in */
inline ENQUEUE() {
	GLOCK();
	AGE(me);
	atomic {
		if
		:: MAYENTER(what[me]) || (again && MAYRETRY(what[me])) -> INORDER(what[me]); ENTER(what[me]); r = 1
		:: else ->
			r = 0;
#ifdef M_LATE_MARK
		fi
	};
	atomic {
		if
		:: r
		:: !r ->
#endif
			queued = 1;
			if :: what[me] == WRITE -> writersf = 1 :: else fi;
#ifndef M_OPEN
			if :: old[me] && (again || n == 0 || FAIR) -> assert(HELD || under || starving); starving = 1 :: else fi;
#endif
#ifndef M_RETRY_LATE
			if :: again && retries == 1 -> retryf = 0 :: else fi
#endif
		fi
	};
	if
	:: r -> if :: again -> FORGET() :: else fi; LETIN()
	:: else ->
		d_step {
			if
			:: again ->
				retries--;
				h = n;		/* behind an upgrader, before all others */
				do :: h > (up != NONE) -> q[h] = q[h - 1]; h-- :: else -> break od;
				q[h] = me
			:: else ->
				if :: what[me] == WRITE -> writers++ :: else fi;
				q[n] = me
			fi;
			n++; inq[me] = 1
		};
#ifdef M_RETRY_LATE
		if :: retries == 0 -> retryf = 0 :: else fi;
#endif
		GUNLOCK()
	fi
}

/* r: in time */
inline SLEEP(timed) {
	r = 1;
	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		GLOCK();
		if
		:: inq[me] ->
			r = 0; d_step { UNLINK(me) };
			if
			:: what[me] == UP ->
				up = NONE;
#ifdef M_UP_LAST
				assert(!starving || (n > 0 && old[q[0]]));
				g = 0
#else
				LETIN()
#endif
			:: else ->
				if :: what[me] == WRITE -> writers-- :: else fi;
				LETIN()
			fi
		:: else ->
			GUNLOCK();
#ifdef M_LEAVE
			r = 0; goto done
#else
			atomic { perm[me] -> perm[me] = 0 }
#endif
		fi
	fi
}

/* r: in */
inline ACQUIRE(how, timed) {
	what[me] = how;
	old[me] = FAIR;
	again = 0;
	atomic { if :: MAYENTER(how) -> INORDER(how); ENTER(how); r = 1 :: else -> r = 0 fi };
	do
	:: r -> break
	:: else ->
		ENQUEUE();
		if :: r -> break :: else fi;
		SLEEP(timed);
		if
		:: !r -> break
		:: r && got[me] == LOCK -> break
		:: else ->
#ifdef M_JOIN
			atomic { if :: how == READ -> readers++; r = 1 :: how == WRITE && MAYWRITE -> ENTER(how); r = 1 :: else -> r = 0 fi };
#else
			atomic { if :: MAYRETRY(how) -> ENTER(how); r = 1 :: else -> r = 0 fi };
#endif
			if
			:: r -> GLOCK(); FORGET(); LETIN(); break
			:: !r && timed ->
				GLOCK(); FORGET();
#ifdef M_GIVE_BACK
				TIDY(); g = 0;
#else
				LETIN();
#endif
				break
			:: !r -> again = 1
			fi
		fi
	od
}

inline WUNLOCK() { atomic { wr--; written = 0; SEES() }; RELEASE(see) }
inline RUNLOCK() {
	atomic { rd--; readers--; assert(!NEGATIVE); if :: readers == 0 || (readers == 1 && starving) -> SEES() :: else -> see = 0 fi };
	RELEASE(see)
}

/* the upgrader stands in front of the queue, and counts as starving */
inline WAITUP() {
	queued = 1; starving = 1; up = me; what[me] = UP; old[me] = 1; rd--; r = 4;
	h = n;
	do :: h > 0 -> q[h] = q[h - 1]; h-- :: else -> break od;
	q[0] = me; n++; inq[me] = 1
}

proctype T(byte me; bit writer; bit timed; bit upgrades) {
	byte k, h, w, r, c, x;
	bit again, see;
	ACQUIRE(writer, timed);
	if :: !r -> goto done :: else fi;
	if
	:: writer ->
		atomic { wr++; assert(wr == 1 && rd == 0) };
		if
		:: upgrades ->		/* downgrades, here */
#ifdef M_UNDER_DOWN
			atomic { wr--; rd++; written = 0; readers = 1; SEES() };
#else
			atomic { !NEGATIVE -> wr--; rd++; written = 0; readers = 1; SEES() };
#endif
			RELEASE(see);
			RUNLOCK()
		:: else -> WUNLOCK()
		fi
	:: else ->
		atomic { rd++; assert(wr == 0) };
		if
		:: upgrades ->
			GLOCK();
			atomic {
				if
#ifdef M_TWO_UP
				:: up != NONE && readers > 1 -> WAITUP()
#else
				:: up != NONE -> r = 3
#endif
				:: up == NONE && readers == 1 -> readers = 0; written = 1; rd--; r = 2
				:: up == NONE && readers > 1 -> WAITUP()
				fi
			};
			GUNLOCK();
			if
			:: r == 4 -> SLEEP(timed); if :: !r -> rd++; r = 3 :: else fi
			:: else
			fi;
			if
			:: r == 3 -> RUNLOCK()
			:: else -> atomic { wr++; assert(wr == 1 && rd == 0) }; WUNLOCK()
			fi
		:: else ->
#ifdef AGAIN
			if
			:: AGAIN & (1 << me) ->
				ACQUIRE(READ, timed);
				if :: r -> atomic { rd++; assert(wr == 0) }; RUNLOCK() :: else fi
			:: else
			fi;
#endif
			RUNLOCK()
		fi
	fi;
done:	skip
}

proctype Excess() {
	byte k, h, w, c, x;
	bit see;
	atomic {
		if
		:: readers == 0 -> under = 1
		:: else -> goto done		/* that would be one of the readers' */
		fi
	};
#ifdef M_UNDER_QUIET
	under = 0;
#else
	atomic { under = 0; SEES() };
	RELEASE(see);
#endif
done:	skip
}

init {
	atomic {
#ifdef EXCESS
		run Excess();
#endif
		run T(0, SCENE0);
		run T(1, SCENE1);
		run T(2, SCENE2);
#ifdef SCENE3
		run T(3, SCENE3)
#endif
	}
}
