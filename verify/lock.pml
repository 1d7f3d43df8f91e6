/*
 * lock.pml - osthread/mutex.go: the lock with a spinner, a queue, and handoff
 *
 * Each load, swap, and-not and subtraction of the word and of the spinner word
 * is a step of its own. The guard is a lock that is held over several such
 * steps, while other threads continue without it. Time is a free choice: a head
 * may be starving or not at each check, the spinner may stop or claim at each
 * poll, a woken waiter may be late or not, a timed waiter may time out whenever
 * it sleeps. A waiter sleeps until its permit is there.
 *
 * A lock has a queue only while that has waiters: its first waiter takes an
 * unused one and swaps its index into the link. The guard and the waiters are
 * the queue's, so a caller that has locked the guard of a queue which the lock
 * has not got any more must find out.
 *
 * Properties: one owner at a time; no thread sleeps for ever (invalid end
 * states); what release must leave behind is asserted in takeClaimed.
 *
 * NT threads, ITER times each, the first TIMED of them with a timeout. FOREIGN:
 * another thread unlocks, perhaps at once. ONEP: woken stays set when the
 * queue is empty. KEPT: the lock has a queue from the start, and keeps it, so
 * that there are states for two rounds of three threads.
 *
 * The flag watched is not modelled. An owner sets it once, and nothing clears
 * it. It makes the first swap of Lock fail and the test of Unlock for 0, after
 * which both go their slow paths, as they may do at any time; those ask for the
 * other flags and the key, one by one.
 *
 * Mutants, each of which spin rejects:
 *   M_NO_RELEASE   a spinner that stops does not call release: an Unlock that
 *                  left the lock to it has woken no thread
 *   M_LEAVE        a waiter that times out leaves although it was woken to
 *                  retry: no thread is committed to the queue
 *   M_KEEP_CLAIM   a spinner that stops keeps its claim: the lock is free and
 *                  closed to all
 *   M_LATE_MARK    queued is set after the load that found the lock held, not
 *                  in the same step
 *   M_SPIN_LATE    the spinner clears its word after it has acquired the lock,
 *                  not before (with FOREIGN)
 *   M_WOKEN_LATE   a woken waiter decrements woken after it has enqueued itself
 *   M_KEEP_WOKEN   a woken waiter that acquires the lock does not decrement
 *                  woken
 *   M_BARGE_CLAIM  newcomers take a claimed lock: two owners
 *   M_BIND         a first waiter stores its queue's index in place of the
 *                  compare-and-swap: another first waiter's queue is lost
 *   M_STALE        a caller does not check, once it has locked the guard, that
 *                  the lock still has the queue
 *   M_UNBIND_LATE  the guard is unlocked before the index is cleared: a waiter
 *                  enqueues in between
 *   M_MARK_EARLY   queued is set before the lock has a queue: Unlock sees it,
 *                  finds no queue, and wakes no thread
 */
#ifndef NT
#define NT 3
#endif
#ifndef ITER
#define ITER 1
#endif
#ifndef TIMED
#define TIMED 1
#endif

#ifndef MAXW
#define MAXW 2
#endif

#define RETRY 1
#define LOCK 2

byte held;			/* holder + 1; 0: free */
bit queued, starving, claimed;	/* with held and woken: the word */
byte woken;
bit spinner;
#ifdef KEPT
#define NQ 1
#else
#define NQ 2
#endif
#ifndef KEPT
byte link;			/* the lock's queue + 1; 0: none */
#endif
bit used[NQ];			/* taken, or the lock's */
bit guard[NQ];
byte queue[NQ * NT], size[NQ];
#define q(i) queue[b * NT + (i)]	/* of the queue b */
#define n size[b]
bit inq[NT], perm[NT];
byte got[NT];
byte inside;

#ifdef M_BARGE_CLAIM
#define OPEN (held == 0 && !starving)
#else
#define OPEN (held == 0 && !starving && !claimed)
#endif

/*
 * Lock the guard of the lock's queue, b, or return with b == NQ. The check of
 * the link is a part of the step that locks the guard: while that is held the
 * answer does not change.
 */
inline FIND() {
#ifdef KEPT
	atomic { guard[0] == 0 -> guard[0] = 1; b = 0 }
#else
	do
	:: atomic { link == 0 -> b = NQ }; break
	:: atomic { link != 0 -> b = link - 1 };
#ifdef M_STALE
		atomic { guard[b] == 0 -> guard[b] = 1 }; break
#else
		if
		:: atomic { guard[b] == 0 && link == b + 1 -> guard[b] = 1 }; break
		:: atomic { guard[b] == 0 && link != b + 1 -> b = NQ }
		fi
#endif
	od
#endif
}

/* lock the guard of the lock's queue, b, which is made if there is none */
inline GLOCK() {
#ifdef KEPT
	FIND()
#else
	do
	:: FIND();
		if :: b != NQ -> break :: else fi;
		/* a third one would stand for one of these */
		atomic {
			if
			:: !used[0] && !guard[0] -> b = 0
			:: (used[0] || guard[0]) && !used[1] && !guard[1] -> b = 1
			fi;
			used[b] = 1; guard[b] = 1
		};
#ifdef M_BIND
		if
		:: link == 0 -> link = b + 1; break
		:: else -> atomic { guard[b] = 0; used[b] = 0; b = NQ }
		fi
#else
		if
		:: atomic { link == 0 -> link = b + 1 }; break
		:: atomic { link != 0 -> guard[b] = 0; used[b] = 0; b = NQ }
		fi
#endif
	od
#endif
}

/* unlock the guard; an empty queue becomes unused */
inline GUNLOCK() {
#ifdef KEPT
	atomic { guard[0] = 0; b = NQ }
#elif defined(M_UNBIND_LATE)
	if
	:: atomic { n != 0 -> guard[b] = 0; b = NQ }
	:: atomic { n == 0 -> guard[b] = 0 };
		atomic { link = 0; used[b] = 0; b = NQ }
	fi
#else
	atomic {
		if
		:: n != 0 -> guard[b] = 0
		:: else -> link = 0; guard[b] = 0; used[b] = 0
		fi;
		b = NQ
	}
#endif
}

inline CLEAR() {
	atomic {
		starving = 0; queued = 0;
#ifdef ONEP
		if :: woken = 0 :: skip fi	/* the number of processors may change */
#else
		woken = 0
#endif
	}
}

inline TIDY() {
	if
	:: n == 0 -> CLEAR()
	:: n > 0 && starving -> if :: starving = 0 :: skip fi
	:: else
	fi
}

/* take the node w out of the queue; the guard is held */
inline UNLINK(w) {
	d_step {
		k = 0;
		do :: q(k) != w -> k++ :: else -> break od;
		do :: k + 1 < n -> q(k) = q(k + 1); k++ :: else -> break od;
		n--; q(n) = 0; inq[w] = 0; k = 0
	}
}

inline RELEASE() {
	FIND();
#ifdef KEPT
	atomic { if :: n == 0 -> CLEAR(); guard[0] = 0; b = NQ :: else fi };
#endif
	if
	:: b == NQ			/* nobody to wake */
	:: else ->
#ifndef M_STALE
		assert(n > 0);
#endif
		h = q(0);
		if :: old = 1 :: old = 0 fi;
		atomic {
			if
			:: held != 0 || claimed -> if :: (old || starving) -> starving = 1 :: else fi
			:: else ->
				if
				:: old || starving -> held = h + 1; res = LOCK
				:: !old && !starving && !spinner && woken < MAXW -> res = RETRY
				:: !old && !starving && (spinner || woken > 0)	/* not late */
				fi
			fi
		};
		/* the swap is a step of its own */
		if
		:: res == RETRY -> atomic { if :: held != 0 || claimed || woken == MAXW -> res = 0 :: else -> woken++ fi }
		:: else
		fi;
		if
		:: res != 0 ->
			UNLINK(h); got[h] = res; TIDY()
		:: else
		fi;
		GUNLOCK()
	fi;
	if :: res != 0 -> perm[h] = 1 :: else fi;
	h = 0; res = 0; old = 0
}

/* r: acquired. The caller is the spinner. */
inline SPIN() {
	claim = 0; r = 0;
	do
	:: atomic { (held == 0 || starving) -> sfree = (held == 0); sopen = OPEN; sq = queued };
		if
		:: claim && sfree ->
			spinner = 0;
			atomic { assert(held == 0 && claimed); held = me + 1; claimed = 0 };
			r = 1; break
		:: !(claim && sfree) && sopen ->
#ifndef M_SPIN_LATE
			spinner = 0;
#endif
			atomic { if :: OPEN && queued == sq -> held = me + 1; r = 1 :: else -> r = 0 fi };
#ifdef M_SPIN_LATE
			if :: r -> spinner = 0; break :: else fi
#else
			if
			:: r -> break
			:: else -> atomic { if :: spinner == 0 -> spinner = 1; r = 0 :: else -> r = 2 fi };
				if :: r == 2 -> r = 0; break :: else fi
			fi
#endif
		:: !(claim && sfree) && !sopen -> STOP(); break
		fi
	:: true -> STOP(); break		/* long enough */
	:: !claim -> atomic { if :: held != 0 && !starving && !claimed -> claimed = 1; claim = 1 :: else fi }
	od;
	sfree = 0; sopen = 0; sq = 0; claim = 0
}

inline STOP() {
#ifndef M_KEEP_CLAIM
	if :: claim -> claimed = 0 :: else fi;
#endif
	spinner = 0;
#ifndef M_NO_RELEASE
	RELEASE();
#endif
	r = 0
}

/* the caller was woken; r: acquired */
inline RETRY_() {
	spins = 0;
	do
	:: sopen = OPEN;
		if
		:: !sopen && !spins -> atomic { if :: !spinner -> spinner = 1; spins = 1 :: else fi }
		:: sopen && spins -> spinner = 0; spins = 0
		:: else
		fi;
		atomic {
			if
			:: sopen == OPEN ->
#ifndef M_KEEP_WOKEN
#ifndef M_WOKEN_LATE
				if :: woken > 0 -> woken-- :: else fi;
#endif
#endif
				if :: sopen -> held = me + 1 :: else fi;
				r = 1
			:: else -> r = 0
			fi
		};
		if :: r -> break :: else fi
	od;
	r = sopen; sopen = 0;
	if :: spins -> spins = 0; SPIN() :: else fi
}

inline UNLOCK() {
	atomic {
		assert(held != 0); held = 0;
#ifndef FOREIGN
		inside--;
#endif
		sq = queued; sst = starving; scl = claimed; sw = (woken > 0)
	};
	sq = sq || sst || scl || sw;
	if
	:: scl
	:: !scl && !sst && sq -> scl = spinner
	:: else
	fi;
	/* with scl the spinner's business, with sw that of the woken */
	if
	:: scl || (!sst && sw)		/* left to them */
	:: (scl || (!sst && sw)) -> RELEASE()	/* lost or late */
	:: !scl && (sst || !sw) && sq -> RELEASE()
	:: !sq
	fi;
	sq = 0; sst = 0; scl = 0; sw = 0
}

proctype T(byte me; bit timed) {
	byte i, k, h, res, r, b = NQ;
	bit old, claim, sfree, sopen, sq, sst, scl, sw, spins, front, late;

	do
	:: i == ITER -> break
	:: else ->
		i++; front = 0; late = 0;
		atomic { if :: OPEN -> held = me + 1; r = 1 :: else -> r = 0 fi };
		if :: r -> goto locked :: else fi;
		if
		:: atomic { spinner == 0 -> spinner = 1 }; SPIN();
			if :: r -> goto locked :: else fi
		:: skip				/* there is one, or one P */
		fi;
again:
#ifdef M_MARK_EARLY
		atomic { if :: OPEN -> held = me + 1; r = 1 :: else -> queued = 1; r = 0 fi };
		if :: r -> goto locked :: else fi;
#endif
		GLOCK();
#ifdef M_MARK_EARLY
		r = 0;
#elif defined(M_LATE_MARK)
		if :: OPEN -> r = 1 :: else -> r = 0 fi;
		atomic { if :: r -> if :: OPEN -> held = me + 1 :: else -> r = 0 fi :: else fi };
		if :: !r -> queued = 1 :: else fi;
#else
		if :: front -> if :: old = 1 :: old = 0 fi :: else fi;
		atomic {
			if
			:: OPEN -> held = me + 1; r = 1
			:: else -> queued = 1; r = 0; if :: old && held != 0 -> starving = 1 :: else fi
			fi
		};
		old = 0;
#endif
		if :: r -> GUNLOCK(); goto locked :: else fi;
		d_step {
			if
			:: front ->
				k = n;
				do :: k > 0 -> q(k) = q(k - 1); k-- :: else -> break od;
				q(0) = me
			:: else -> q(n) = me
			fi;
			n++; inq[me] = 1; got[me] = 0; k = 0
		};
		GUNLOCK();
#ifdef M_WOKEN_LATE
		atomic { if :: front && woken > 0 -> woken-- :: else fi };
#endif
		if
		:: perm[me] -> perm[me] = 0
		:: timed -> late = 1;
			FIND();
			if
			:: b != NQ && inq[me] -> UNLINK(me); TIDY(); GUNLOCK(); goto gaveup
			:: else -> if :: b != NQ -> GUNLOCK() :: else fi;
#ifdef M_LEAVE
				if :: got[me] == RETRY -> (perm[me]); perm[me] = 0; woken--; goto gaveup :: else fi;
#endif
				(perm[me]); perm[me] = 0
			fi
		fi;
		if
		:: got[me] == LOCK -> goto locked
		:: else -> RETRY_()
		fi;
		if :: r -> goto locked :: else fi;
		if :: late -> goto gaveup :: else fi;
		front = 1; goto again;
locked:		skip;
#ifndef FOREIGN
		atomic { inside++; assert(inside == 1) };
		UNLOCK();
#endif
gaveup:		skip
	od
}

#ifdef FOREIGN
/* unlocks what is locked, at any time */
proctype U() {
	byte k, h, res, b = NQ;
	bit old, sq, sst, scl, sw;
end:	do
	:: (held != 0) -> UNLOCK()
	od
}
#endif

init {
	byte i;
	atomic {
		do :: i < NT -> run T(i, (i < TIMED)); i++ :: else -> break od;
#ifdef FOREIGN
		run U()
#endif
	}
}
