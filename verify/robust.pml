/*
 * robust.pml - osthread/shared/owner.go and csrc/ost_owner.h: a lock of one
 * word with an owner, which may die
 *
 * The word is the owner's id and incarnation, WAITERS and INCONSISTENT; each
 * atomic operation on it is one step. The futex compares and enqueues in one
 * step, and wakes any of its sleepers. Threads 0 and 1 may be killed between
 * any two steps, KILLS in all: while they hold the lock, wait for it, have been
 * woken, or have unlocked it and not yet woken a waiter. A waiter checks, when
 * its slice is over, whether the word is the one that it sleeps for and its
 * owner is alive; that is a step, and replacing the owner is another. The end
 * of a slice that would find nothing is left out: the waiter would sleep again.
 * The new owner gets EOWNERDEAD, and repairs what the lock protects, or does
 * not.
 *
 * Scenes. TIMED: thread 2 may give up whenever it sleeps, after one more try
 * and one more check. REUSE: once thread 0 is dead another thread gets its id.
 * PRIVATE: nobody dies and there are no slices, as of a lock that is not
 * robust.
 *
 * Properties: never two owners alive; a lock that returns no error follows a
 * section that was left, or one that was repaired; a lock that returns
 * EOWNERDEAD follows a death; nobody has the lock once it is over; all that
 * live end.
 *
 * Mutants: M_NO_SLICE, waiters sleep until they are woken; M_STORE, the owner
 * is replaced without a comparison with the word that was checked; M_NO_INC, no
 * incarnation; M_HALVES, lock stores the id and then the incarnation, and
 * unlock leaves that; M_FORGET, the replacement is not INCONSISTENT; M_CLEAR,
 * one that has slept locks without WAITERS.
 */
#ifndef ITER
#define ITER 2
#endif
#ifndef KILLS
#define KILLS 2
#endif
#define NT 3
#define NONE 255
#define OVER 254

byte oid, oinc;			/* the word; oid 0 is free */
bit W, I;
byte alive[NT + 1];		/* the incarnation of an id's thread, or 0 */
bit asleep[NT + 1];
byte inside = NONE;
bit dirty, owed, died0;
byte kills;

#define SAME (oid == sid && oinc == sinc && W == sw && I == si)
#ifdef M_NO_INC
#define DEAD (alive[sid] == 0)
#else
#define DEAD (alive[sid] != sinc)
#endif

#ifdef PRIVATE
#define CAN_DIE 0
#else
#define CAN_DIE (killable && kills < KILLS)
#endif
#define K if :: CAN_DIE -> goto die :: true fi

inline WAKE() {
	atomic {
		if
		:: asleep[0] -> asleep[0] = 0
		:: asleep[1] -> asleep[1] = 0
		:: asleep[2] -> asleep[2] = 0
		:: asleep[3] -> asleep[3] = 0
		:: !asleep[0] && !asleep[1] && !asleep[2] && !asleep[3]
		fi
	}
}

inline WAKE_ALL() {
	d_step { asleep[0] = 0; asleep[1] = 0; asleep[2] = 0; asleep[3] = 0 }
}

/* From the word in sid, sinc, sw, si to the caller. */
inline REPLACE() {
	atomic {
		if
#ifdef M_STORE
		:: true ->
#else
		:: SAME ->
#endif
			oid = id; oinc = inc; W = 1;
#ifdef M_FORGET
			I = 0;
#else
			I = 1;
#endif
			assert(owed); owed = 0; goto dead
		:: else
		fi
	}
}

proctype T(byte me; byte id; byte inc; bit killable; bit timed) {
	byte n, sid, sinc;
	bit sw, si, slept, ended, repaired;
	do
	:: n == ITER -> break
	:: else ->
		n++;
		slept = 0;
		ended = 0;
		repaired = 1;
load:		K;
		d_step { sid = oid; sinc = oinc; sw = W; si = I };
		K;
		if
		:: sid == 0 ->
			atomic {
				if
				:: oid == 0 ->
					oid = id; I = 0;
#ifdef M_CLEAR
					W = 0;
#else
					W = slept;
#endif
#ifndef M_HALVES
					oinc = inc
#endif
				:: else -> goto load
				fi
			}
#ifdef M_HALVES
			K;
			oinc = inc;
#endif
			K;
			atomic { assert(inside == NONE && !dirty); inside = me };
			goto section
		:: sid == OVER -> goto out
		:: else
		fi;
		if
		:: ended ->
			if
			:: DEAD -> K; REPLACE(); goto load
			:: else -> goto next
			fi
		:: else
		fi;
		if
		:: !sw -> atomic { if :: SAME -> W = 1; sw = 1 :: else -> goto load fi }
		:: else
		fi;
		K;
		atomic { if :: SAME -> asleep[me] = 1 :: else fi };
		if
		:: !asleep[me]
#if !defined(PRIVATE) && !defined(M_NO_SLICE)
		:: atomic { asleep[me] && (!SAME || DEAD) -> asleep[me] = 0 }
#endif
		:: atomic { asleep[me] && timed -> asleep[me] = 0; ended = 1 }
		:: atomic { asleep[me] && CAN_DIE -> goto die }
		fi;
		slept = 1;
		K;
		if
		:: !ended && SAME && DEAD -> K; REPLACE()
		:: else
		fi;
		goto load;
dead:		K;
		atomic { assert(inside == NONE); inside = me };
		if
		:: atomic { I = 0; dirty = 0 }
		:: repaired = 0
		fi;
section:	K;
		atomic { assert(oid == id && inside == me); inside = NONE };
		K;
		atomic {
			sw = W;
			si = I;
			if :: I -> oid = OVER :: else -> oid = 0 fi;
#ifndef M_HALVES
			oinc = 0;
#endif
			W = 0;
			I = 0
		};
		assert(repaired || si);
		K;
		if
		:: sw && si -> WAKE_ALL()
		:: sw && !si -> WAKE()
		:: else
		fi;
next:		skip
	od;
out:	assert(oid != id || oinc != inc);
	alive[id] = 0;
	goto end;
die:	atomic {
		kills++;
		asleep[me] = 0;
		if :: oid == id && oinc == inc -> owed = 1 :: else fi;
		if :: inside == me -> inside = NONE; dirty = 1 :: else fi;
		if :: me == 0 -> died0 = 1 :: else fi;
		alive[id] = 0
	};
end:	skip
}

#ifdef REUSE
proctype R() {
	if
	:: atomic { died0 && alive[1] == 0 -> alive[1] = NT + 1; run T(NT, 1, NT + 1, 0, 0) }
	:: timeout
	fi
}
#endif

init {
	atomic {
		alive[1] = 1;
		alive[2] = 2;
		alive[3] = 3;
		run T(0, 1, 1, 1, 0);
		run T(1, 2, 2, 1, 0);
#ifdef TIMED
		run T(2, 3, 3, 0, 1);
#else
		run T(2, 3, 3, 0, 0);
#endif
#ifdef REUSE
		run R()
#endif
	}
}
