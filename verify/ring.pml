/*
 * ring.pml - csrc/ost_ring.h, osthread/shared/ring.go: the doorbell of the ring
 *
 * One writer sends N records and closes; one reader takes them in order. The
 * ring holds K records, so both sleep: the reader on tail, the writer on head. A
 * sleep is the futex: the comparison of the index with what was seen, and
 * falling asleep, is one step. The writer publishes up to B records by one store.
 * It may give up a sleep at any time (a deadline) and come again. With KILL the
 * writer dies at some point, and another one continues, with a handle made from
 * the ring; the reader's sleep may then end by itself, as that of a
 * process-shared ring does after 100 ms.
 *
 * Properties: no wakeup is lost (an invalid end state); records are read once and
 * in order, each after it was written (the assertion on slot); tail - head is at
 * most K; the reader sees the end only behind the last record.
 *
 * Mutants: M_FLAG_LATE, the reader compares before it sets its sleep word;
 * M_BELL_FIRST, the writer reads that before it stores tail; M_NO_COMPARE, the
 * sleep does not compare; M_CLEAR_LATE, a side clears the other's sleep word after
 * the wake; M_SWAP, it clears it without comparing, so that of a later sleep, too;
 * M_BLIND, it does not compare it with its own index;
 * M_CLOSE_QUIET, close does not ring; M_EARLY, tail is stored before the record is
 * written; M_NO_SLICE, with KILL: sleeps do not end by themselves.
 */
#ifndef N
#define N 4
#endif
#ifndef K
#define K 2
#endif
#ifndef B
#define B 2
#endif

#define CLOSED 128
#define INDEX 127

byte tail, head;		/* the indices, of records */
byte rsleeps, wsleeps;		/* the sleep words: 0, or 1 + the index that was seen */
bit rasleep, wasleep;		/* in the kernel */
byte slot[K];			/* what was written, 1 to N; 0: nothing */
byte got;
bit dead;

inline MAY_DIE() {
	if
	:: !dead -> dead = 1; goto died
	:: skip
	fi
}

/*
 * one side's bell for the other, which has seen the index mine if its sleep word
 * is mine + 1; f is a local variable
 */
inline BELL(sleeps, mine) {
	f = sleeps;
#ifndef M_BLIND
	if
	:: f == mine + 1 -> f = 0
	:: else
	fi;
#endif
#ifndef M_CLEAR_LATE
	if
	:: f ->
#ifdef M_SWAP
		sleeps = 0
#else
		atomic {
			if
			:: sleeps == f -> sleeps = 0
			:: else -> f = 0 /* a later sleep, which sees the index */
			fi
		}
#endif
	:: else
	fi
#endif
}

inline WAKE(sleeps, asleep) {
	if
	:: f -> asleep = 0;
#ifdef M_CLEAR_LATE
		sleeps = 0
#endif
	:: else
	fi
}

/* in the kernel, until a wake, or with KILL until the slice ends */
inline SLEEP_READER() {
	if
	:: !rasleep
#if defined(KILL) && !defined(M_NO_SLICE)
	:: rasleep = 0
#endif
	fi
}

proctype Writer() {
	byte t, h, n, i, f;
	/* the handle: its own index as published */
again:
	t = tail & INDEX; h = head;
	do
	:: t == N -> break
	:: else ->
		if
		:: t - h == K -> h = head;
			if
			:: t - h < K
			:: else -> /* sleep until there is room */
				do
				:: wsleeps = h + 1;
					if
					:: atomic { head == h -> wasleep = 1 };
						if
						:: !wasleep
						:: wasleep = 0 /* a deadline */
						fi
					:: head != h
					fi;
					h = head;
					if
					:: t - h < K -> break
					:: else
					fi
				od;
				wsleeps = 0
			fi
		:: else
		fi;
		/* fill a batch, and publish it by one store */
		n = 0;
		do
		:: n < B && t + n < N && t + n - h < K ->
#ifdef M_EARLY
			n++
#else
			slot[(t + n) % K] = t + n + 1; n++
#endif
#ifdef KILL
			; MAY_DIE()
#endif
		:: n > 0 -> break
		od;
#ifdef M_BELL_FIRST
		f = rsleeps;
		tail = t + n;
		if
		:: f -> rsleeps = 0; rasleep = 0
		:: else
		fi;
#else
		tail = t + n;
#ifdef KILL
		MAY_DIE();
#endif
		BELL(rsleeps, t + n);
#ifdef KILL
		MAY_DIE();
#endif
		WAKE(rsleeps, rasleep);
#endif
#ifdef M_EARLY
		i = 0;
		do
		:: i < n -> slot[(t + i) % K] = t + i + 1; i++
		:: else -> break
		od;
#endif
		t = t + n
	od;
	tail = t | CLOSED;
#ifndef M_CLOSE_QUIET
	BELL(rsleeps, CLOSED);
	WAKE(rsleeps, rasleep);
#endif
	goto out;
died:
	n = 0;
	goto again;
out:
	skip
}

proctype Reader() {
	byte h, t, word, f;
	do
	:: h == t ->
		word = tail; t = word & INDEX;
		assert(t - h <= K);
		if
		:: h != t
		:: h == t && (word & CLOSED) -> break
		:: else -> /* sleep until there is something */
			do
			::
#ifdef M_FLAG_LATE
				if
				:: tail == h -> rsleeps = h + 1; rasleep = 1;
					SLEEP_READER()
				:: tail != h
				fi;
#else
				rsleeps = h + 1;
				if
#ifdef M_NO_COMPARE
				:: tail == h -> rasleep = 1;
#else
				:: atomic { tail == h -> rasleep = 1 };
#endif
					SLEEP_READER()
				:: tail != h
				fi;
#endif
				if
				:: tail != h -> break
				:: else
				fi
			od;
			rsleeps = 0
		fi
	:: else ->
		assert(slot[h % K] == h + 1);
		slot[h % K] = 0; got++; h++;
		head = h;
		BELL(wsleeps, h);
		WAKE(wsleeps, wasleep)
	od;
	assert(got == N);
	skip
}

init { atomic { run Writer(); run Reader() } }
