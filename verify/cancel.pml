/*
 * cancel.pml - internal/waits/cancel.go with internal/park: how a thread is
 * asked to end a wait
 *
 * An owner waits W times, each time at a place of its own (OWN, a Waiter) or at
 * a word that others sleep on, too (SHARED, a Broadcast or a lock's word). A
 * waker may serve each wait. A canceler asks once, at any time. The owner takes
 * the request when its wait has ended by it; the place of a wait is another's
 * as soon as the wait is over.
 *
 * Properties: the owner does not sleep while it is asked (an invalid end
 * state); a wait ends by the request at most once, and if none does the request
 * is left; no place is touched after its wait.
 *
 * Mutants: M_NO_CHECK, the owner does not check for a request once its place
 * shows the sleep; M_CHECK_FIRST, it checks before; M_ONCE, a shared word is
 * roused once; M_NO_LOCK, the record is not locked while a place is roused.
 */
#ifndef W
#define W 2
#endif

#define OWN 0
#define SHARED 1

#define EMPTY 0
#define ASLEEP 1
#define PERMIT 2
#define CANCELED 3

bit mu, asked, on, valid;	/* the record; whether the place is the owner's */
byte place;			/* OWN or SHARED */
byte word;			/* of OWN; a sleep on SHARED is ASLEEP */
byte number;			/* of the wait */
byte taken;			/* requests */
bit is_asked, over;

inline LOCK() { atomic { !mu -> mu = 1 } }
inline UNLOCK() { mu = 0 }

/* what Ask does at the place; the caller has mu */
inline ROUSE() {
	if
	:: on ->
#ifdef M_NO_LOCK
		UNLOCK();
#endif
		assert(valid);
		atomic {
			if
			:: word == ASLEEP && place == OWN -> word = CANCELED
			:: word == ASLEEP && place == SHARED -> word = EMPTY
			:: else
			fi
		}
#ifdef M_NO_LOCK
		LOCK()
#endif
	:: else
	fi
}

proctype Canceler() {
	byte n;
	LOCK();
	asked = 1;
	is_asked = 1;
	n = number;
	ROUSE();
	if
	:: on && place == SHARED -> UNLOCK();
#ifndef M_ONCE
		do
		:: LOCK();
			if
			:: on && number == n && asked -> ROUSE(); UNLOCK()
			:: else -> UNLOCK(); break
			fi
		od
#endif
	:: else -> UNLOCK()
	fi
}

/* what another thread gives, to a wait or before it */
proctype Waker() {
	byte i;
	do
	:: i == W -> break
	:: i++;
		atomic {
			if
			:: valid && place == OWN && (word == EMPTY || word == ASLEEP) -> word = PERMIT
			:: valid && place == SHARED && word != PERMIT -> word = PERMIT
			:: else
			fi
		}
	od;
	over = 1
}

proctype Owner() {
	byte w, got;
	do
	:: w == W || taken -> break
	:: else ->
		w++; got = EMPTY;
		atomic { if :: place = OWN :: place = SHARED fi; word = EMPTY; valid = 1 };
		LOCK(); on = 1; number++; UNLOCK();
		if
		:: place == OWN ->
#ifdef M_CHECK_FIRST
			if :: asked -> word = CANCELED :: else fi;
#endif
			atomic { if :: word == EMPTY -> word = ASLEEP :: else fi };
#ifndef M_CHECK_FIRST
#ifndef M_NO_CHECK
			if
			:: asked -> atomic { if :: word == ASLEEP -> word = CANCELED :: else fi }
			:: else
			fi;
#endif
#endif
			word != ASLEEP;
			got = word
		:: place == SHARED ->
			do
			:: word == PERMIT -> got = PERMIT; break
			:: else ->
				if
				:: asked -> got = CANCELED; break
				:: else
				fi;
				atomic { if :: word == EMPTY -> word = ASLEEP :: else fi };
				word != ASLEEP
			od
		fi;
		LOCK(); on = 0; UNLOCK();
		valid = 0;
		if
		:: got == CANCELED -> LOCK(); assert(asked); asked = 0; taken++; UNLOCK()
		:: else -> assert(got == PERMIT)
		fi
	od;
	assert(taken <= 1);
	/* only a wait that was served leaves the request */
	assert(taken == 0 || is_asked)
}

init { atomic { run Owner(); run Waker(); run Canceler() } }
