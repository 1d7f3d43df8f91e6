/*
 * rwlock.pml - osthread/rwlock.go: readers, writers, upgrade and downgrade
 *
 * Each step under the queue's guard is one step. grant gives the lock to those who may have it, in order; PREFER is PreferReaders. A timed thread
 * may give up whenever it sleeps, in the queue or as the upgrader.
 *
 * Properties: one writer, or readers; after each grant nobody stands in the queue who may go in; nobody sleeps for ever.
 *
 * Mutants: M_NO_GRANT, a waiter that leaves lets nobody in: readers behind a writer that has given up sleep on; M_TWO_UP, a second
 * upgrader is not refused: both wait for the other to leave; M_UP_LAST, an upgrader that gives up does not let those in whom it kept out.
 */
#ifndef NT
#define NT 3
#endif
#define READ 0
#define WRITE 1

byte readers, q[NT], n, up = 255, up2;
bit written, inq[NT], perm[NT], what[NT];
byte rd, wr;			/* who is in, by their own count */

inline UNLINK(w) {
	k = 0;
	do :: q[k] != w -> k++ :: else -> break od;
	do :: k + 1 < n -> q[k] = q[k + 1]; k++ :: else -> break od;
	n--; q[n] = 0; inq[w] = 0; k = 0
}

#define MAYREAD (!written && (PREFER || (n == 0 && up == 255)))
#define MAYWRITE (!written && readers == 0)
#ifndef PREFER
#define PREFER 0
#endif

/* nobody stands in the queue who may go in */
#define SETTLED (n == 0 || written || up != 255 || (readers > 0 && what[q[0]] == WRITE))

inline GRANT() {
	if
	:: up != 255 && readers == 1 -> perm[up] = 1; up = 255; readers = 0; written = 1
	:: up != 255 && readers != 1 && !PREFER -> skip
	:: else ->
		h = 0;
		do
		:: h < n && !written ->
			if
			:: what[q[h]] == READ -> w = q[h]; UNLINK(w); readers++; perm[w] = 1
			:: what[q[h]] == WRITE && PREFER -> h++
			:: else -> break
			fi
		:: else -> break
		od;
		if
		:: n > 0 && what[q[0]] == WRITE && MAYWRITE -> w = q[0]; UNLINK(w); written = 1; perm[w] = 1
		:: else
		fi;
		skip
	fi;
	assert(SETTLED);
	h = 0; w = 0
}

/* r: in time */
inline SLEEP(timed, isup) {
	r = 1;
	if
	:: atomic { perm[me] -> perm[me] = 0 }
	:: timed ->
		atomic {
			if
			:: isup && up == me -> up = 255; r = 0;
#ifndef M_UP_LAST
				GRANT();
#endif
				assert(SETTLED)
			:: !isup && inq[me] -> UNLINK(me); r = 0;
#ifndef M_NO_GRANT
				GRANT();
#endif
				assert(SETTLED)
			:: else
			fi
		};
		if :: r -> atomic { perm[me] -> perm[me] = 0 } :: else fi
	fi
}

inline LOCK(how, timed) {
	atomic {
		if
		:: how == READ && MAYREAD -> readers++; r = 2
		:: how == WRITE && MAYWRITE -> written = 1; r = 2
		:: else -> what[me] = how; q[n] = me; n++; inq[me] = 1; r = 0
		fi
	};
	if :: r == 2 -> r = 1 :: else -> SLEEP(timed, 0) fi
}

proctype T(byte me; bit writer; bit timed; bit upgrades) {
	byte k, h, w, r;
	LOCK(writer, timed);
	if :: !r -> goto done :: else fi;
	if
	:: writer ->
		atomic { wr++; assert(wr == 1 && rd == 0) };
		if
		:: upgrades ->		/* downgrades, here */
			atomic { wr--; rd++; written = 0; readers = 1; GRANT() };
			atomic { rd--; readers--; GRANT() }
		:: else -> atomic { wr--; written = 0; GRANT() }
		fi
	:: else ->
		atomic { rd++; assert(wr == 0) };
		if
		:: upgrades ->
			atomic {
				if
#ifdef M_TWO_UP
				:: up != 255 && readers > 1 -> r = 0; rd--	/* waits, too, but nobody knows */
#else
				:: up != 255 -> r = 3
#endif
				:: up == 255 && readers == 1 -> readers = 0; written = 1; rd--; r = 2
				:: up == 255 && readers > 1 -> up = me; rd--; r = 0
				fi
			};
			if
			:: r == 2 -> r = 1
			:: r == 0 -> SLEEP(timed, 1); if :: !r -> rd++; r = 3 :: else fi
			:: else
			fi;
			if
			:: r == 3 -> atomic { rd--; readers--; GRANT() }
			:: else -> atomic { wr++; assert(wr == 1 && rd == 0) }; atomic { wr--; written = 0; GRANT() }
			fi
		:: else -> atomic { rd--; readers--; GRANT() }
		fi
	fi;
done:	skip
}

init {
	atomic {
		run T(0, SCENE0);
		run T(1, SCENE1);
		run T(2, SCENE2);
#ifdef SCENE3
		run T(3, SCENE3)
#endif
	}
}
