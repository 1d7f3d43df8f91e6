/*
 * inherit.pml - the user's half of a robust mutex with priority inheritance:
 * osthread/shared/mutex.go and csrc/ost_pmutex.h, over the kernel's as it is
 *
 * The word is the owner's id and incarnation, WAITERS and DIED, which is
 * INCONSISTENT. The kernel's half, each call of it one step under the lock of
 * the word's bucket, is that of Linux 6 (kernel/futex/pi.c): the sleepers on
 * the word, and their owner as the kernel knows it, 0 once that has ended. A
 * sleeper that the lock was given to stores its id in the word when it runs, a
 * step of its own, whatever the word holds by then.
 *
 * Threads 0 and 1 may be killed between any two steps, KILLS in all. The end of
 * a slice is left out: it finds nothing here, as no id is used again (GONE is
 * not in the model).
 *
 * Properties: never two owners alive; a lock that returns no error follows a
 * section that was left or repaired; one that returns EOWNERDEAD follows a
 * death; all that live end.
 *
 * Mutants: M_EARLY, a dead owner is replaced as soon as it is seen, even if the
 * kernel has sleepers; M_ONCE, it is replaced after one ESRCH, which may be of
 * another word than the one that was loaded.
 */
#ifndef ITER
#define ITER 1
#endif
#ifndef KILLS
#define KILLS 2
#endif
#define NT 3
#define NONE 255

byte oid, oinc;			/* the word */
bit W, D;
byte alive[6];			/* the incarnation of an id's thread, or 0 */
bit queued[NT], granted[NT];
byte kowner;
byte inside = NONE, kills;
bit dirty, owed;

#define QUEUE (queued[0] || queued[1] || queued[2])
#define SAME (oid == sid && oinc == sinc && W == sw && D == sd)
#define CAN_DIE (killable && kills < KILLS)
#define K if :: CAN_DIE -> goto die :: true fi

/* The kernel gives the lock to the first of its sleepers: to any. */
inline GRANT() {
	if
	:: queued[0] && !granted[0] -> granted[0] = 1; next = 1
	:: queued[1] && !granted[1] -> granted[1] = 1; next = 2
	:: queued[2] && !granted[2] -> granted[2] = 1; next = 3
	:: else -> next = 0
	fi
}

/* From the word that was loaded, marked as the kernel has, to the caller. */
inline REPLACE() {
	atomic {
		if
		:: oid == sid && oinc == sinc && D == sd && (W || sw == W) && sid != 0 ->
			oid = id; oinc = inc; W = 1; D = 1;
			assert(owed); owed = 0; goto dead
		:: else
		fi
	}
}

proctype T(byte me; byte id; byte inc; bit killable) {
	byte n, sid, sinc, next, did, dinc;
	bit sw, sd, dd, repaired;
	n = (me == 1 -> 0 : ITER - 1);	/* only thread 1 locks more than once */
	do
	:: n == ITER -> break
	:: else ->
		n++;
		repaired = 1;
		did = 0;
		dinc = 0;
		K;
		atomic { if :: oid == 0 && !D && !W -> oid = id; oinc = inc; goto free :: else fi };
load:		K;
		d_step { sid = oid; sinc = oinc; sw = W; sd = D };
		K;
		atomic {	/* FUTEX_LOCK_PI */
			if
			:: oid == id -> assert(0)
			:: oid != id && QUEUE && kowner == oid && kowner != 0 -> W = 1; queued[me] = 1
			:: oid != id && QUEUE && (kowner != oid || kowner == 0) -> goto load /* EINVAL */
			:: oid == 0 && !QUEUE -> oid = id; W = 0; goto got
			:: oid != id && oid != 0 && !QUEUE && alive[oid] != 0 ->
				W = 1; kowner = oid; queued[me] = 1
			:: oid != id && oid != 0 && !QUEUE && alive[oid] == 0 -> W = 1; goto esrch
			fi
		};
		if
		:: atomic { granted[me] -> skip }
#ifdef M_EARLY
		:: atomic { !granted[me] && (alive[sid] != sinc || oid != sid) -> queued[me] = 0 }
#endif
		:: atomic { CAN_DIE && !granted[me] -> queued[me] = 0; if :: !QUEUE -> kowner = 0 :: else fi; goto die }
		fi;
		if
		:: granted[me] ->
			atomic {	/* fixup_pi_owner */
				if
				:: kowner != id -> oid = id; W = 1; D = (D || kowner == 0); kowner = id
				:: else
				fi;
				granted[me] = 0;
				queued[me] = 0;
				if :: !QUEUE -> kowner = 0 :: else fi
			};
			goto got
		:: else -> atomic { if :: !QUEUE -> kowner = 0 :: else fi }
		fi;
		/* its slice is over */
#ifdef M_EARLY
		if :: sid != 0 && alive[sid] != sinc -> REPLACE() :: else fi;
#endif
		goto load;
esrch:		K;
#ifndef M_ONCE
		if
		:: did != sid || dinc != sinc || dd != sd ->
			atomic { if :: (sd && alive[sid] == 0) || (!sd && alive[sid] != sinc) -> did = sid; dinc = sinc; dd = sd :: else fi };
			goto load
		:: else
		fi;
		K;
#endif
		REPLACE();
		goto load;
got:		K;
		oinc = inc;
		if
		:: D -> assert(owed); owed = 0; goto dead
		:: else
		fi;
free:		K;
		atomic { assert(inside == NONE && !dirty); inside = me };
		goto section;
dead:		K;
		atomic { assert(inside == NONE); inside = me };
		K;
		atomic { D = 0; dirty = 0 };
section:	K;
		atomic { assert(oid == id && inside == me); inside = NONE };
		K;
		atomic {
			if
			:: oid == id && !W -> oid = 0; oinc = 0; goto out
			:: else
			fi
		};
		oinc = 0;
		K;
		atomic {	/* FUTEX_UNLOCK_PI */
			assert(oid == id);
			if
			:: !QUEUE -> oid = 0; W = 0
			:: QUEUE ->
				assert(kowner == id);
				GRANT();
				assert(next != 0);
				oid = next; W = 1; D = 0; kowner = next
			fi
		};
out:		skip
	od;
	alive[id] = 0;
	goto end;
die:	atomic {
		kills++;
		if :: oid == id && (oinc == inc || oinc == 0 || D) -> owed = 1 :: else fi;
		if :: inside == me -> inside = NONE; dirty = 1 :: else fi;
		alive[id] = 0;
		/* exit_pi_state_list */
		if
		:: kowner == id && QUEUE -> kowner = 0; GRANT()
		:: else
		fi
	};
end:	skip
}

init {
	atomic {
		alive[1] = 1;
		alive[2] = 2;
		alive[3] = 3;
		run T(0, 1, 1, 1);
		run T(1, 2, 2, 1);
		run T(2, 3, 3, 0);
	}
}
