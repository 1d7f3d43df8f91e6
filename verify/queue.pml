// The ends of osthread/queue/ends.go: Put, Get and TaskDone with and without
// mu, opening and closing, waiters and a joiner. After how many operations the
// ends open is left open: any operation under mu may open them.
//
//	NP, NC    producers, consumers
//	K         values of each producer; NP*K is a multiple of NC
//	R         slots of the ring, and the bound of the queue
//	JOIN      a caller of Join
//
// Each value is taken once, with its contents, and those of one producer in the
// order in which they were put. No waiter or joiner sleeps for ever: there is
// no invalid end state. Never is more done than put.
//
// Mutants:
//
//	M_ONE_END       a waiter closes its own end only
//	M_EARLY         Put releases the slot before it has written the value
//	M_NO_LOCK       closing does not wait for the operation at the end
//	M_OPEN_JOIN     the ends open while a joiner waits
//	M_HEAD_FIRST    opening opens the head before the tail
//	M_STALE_OTHER   opening leaves the copies of the other end's position
#ifndef NP
#define NP 1
#endif
#ifndef NC
#define NC 1
#endif
#ifndef K
#define K 3
#endif
#ifndef R
#define R 2
#endif
#define ALL (NP * K)

#ifdef M_OPEN_JOIN
#define NOBODY_WAITS (gwaiting + pwaiting == 0)
#else
#define NOBODY_WAITS (gwaiting + pwaiting == 0 && !jwait)
#endif
#ifdef M_ONE_END
#define ONE_END true
#else
#define ONE_END false
#endif
#ifdef M_NO_LOCK
#define NO_LOCK true
#else
#define NO_LOCK false
#endif
#ifdef M_HEAD_FIRST
#define HEAD_FIRST true
#else
#define HEAD_FIRST false
#endif
#ifdef M_STALE_OTHER
#define STALE_OTHER true
#else
#define STALE_OTHER false
#endif

byte buf[R];

// The words of the ends: position, open, locked. other is under locked.
byte tpos, hpos, tother, hother;
bool topen, tlocked, hopen, hlocked;
// The word of TaskDone.
byte dones;
bool dopen;

bool mu;
// Under mu.
bool qopen;
byte puts, front; // the store has puts - front values
bool gwait[NC], pwait[NP], jwait;
byte gwaiting, pwaiting;

// What a waiter gets.
byte gval[NC], pval[NP];
bool gserved[NC], pserved[NP], jserved;

byte got; // values taken

inline lock_mu() { atomic { !mu -> mu = true } }

// shut closes the ends. put says that the caller uses the tail.
inline shut(put) {
	if
	:: qopen ->
		qopen = false;
		if
		:: ONE_END && !put -> puts = tpos
		:: else ->
			if
			:: NO_LOCK
			:: else -> atomic { !tlocked -> tlocked = true }
			fi;
			puts = tpos;
			atomic { topen = false; tlocked = false }
		fi;
		if
		:: ONE_END && put -> front = hpos
		:: else ->
			if
			:: NO_LOCK
			:: else -> atomic { !hlocked -> hlocked = true }
			fi;
			front = hpos;
			atomic { hopen = false; hlocked = false }
		fi;
		dopen = false
	:: else
	fi
}

inline may_open() {
	if
	:: puts - front > 0 && puts - front < R && NOBODY_WAITS ->
		qopen = true;
		if
		:: STALE_OTHER
		:: else -> tother = front; hother = puts
		fi;
		dopen = true;
		if
		:: HEAD_FIRST -> atomic { hpos = front; hopen = true }; atomic { tpos = puts; topen = true }
		:: else -> atomic { tpos = puts; topen = true }; atomic { hpos = front; hopen = true }
		fi
	:: true
	fi
}

proctype Producer(byte me) {
	byte v = 1, pos, i;
	bool done;
	do
	:: v > K -> break
	:: else ->
		done = false;
		if
		:: atomic { topen && !tlocked -> tlocked = true; pos = tpos };
			if
			:: pos - tother >= R -> tother = hpos
			:: else
			fi;
			if
			:: pos - tother >= R -> tlocked = false
			:: else ->
#ifdef M_EARLY
				atomic { tpos = pos + 1; tlocked = false };
				buf[pos % R] = me * K + v;
#else
				buf[pos % R] = me * K + v;
				atomic { tpos = pos + 1; tlocked = false };
#endif
				done = true
			fi
		:: !topen
		fi;
		if
		:: done
		:: else ->
			lock_mu();
			shut(true);
			if
			:: gwaiting > 0 ->
				i = 0;
				do :: gwait[i] -> break :: else -> i++ od;
				gwait[i] = false; gwaiting--;
				puts++; front++;
				gval[i] = me * K + v;
				may_open();
				mu = false;
				gserved[i] = true
			:: gwaiting == 0 && puts - front < R ->
				buf[puts % R] = me * K + v;
				puts++;
				may_open();
				mu = false
			:: else ->
				pval[me] = me * K + v;
				pwait[me] = true; pwaiting++;
				mu = false;
				atomic { pserved[me] -> pserved[me] = false }
			fi
		fi;
		v++
	od
}

proctype Consumer(byte me) {
	byte v, n, pos, i, d;
	byte last[NP];
	bool done;
	do
	:: n == ALL / NC -> break
	:: else ->
		done = false;
		if
		:: atomic { hopen && !hlocked -> hlocked = true; pos = hpos };
			if
			:: hother == pos -> hother = tpos
			:: else
			fi;
			if
			:: hother == pos -> hlocked = false
			:: else ->
				v = buf[pos % R];
				buf[pos % R] = 0;
				atomic { hpos = pos + 1; hlocked = false };
				done = true
			fi
		:: !hopen
		fi;
		if
		:: done
		:: else ->
			lock_mu();
			shut(false);
			if
			:: puts > front ->
				v = buf[front % R];
				buf[front % R] = 0;
				front++;
				i = NP;
				if
				:: pwaiting > 0 ->
					i = 0;
					do :: pwait[i] -> break :: else -> i++ od;
					pwait[i] = false; pwaiting--;
					buf[puts % R] = pval[i];
					puts++
				:: else
				fi;
				may_open();
				mu = false;
				if
				:: i < NP -> pserved[i] = true
				:: else
				fi
			:: else ->
				gwait[me] = true; gwaiting++;
				mu = false;
				atomic { gserved[me] -> gserved[me] = false };
				v = gval[me]
			fi
		fi;
		d_step {
			assert(v > 0);
			i = (v - 1) / K;
			assert(v > last[i]); // in order, and not twice
			last[i] = v;
			got++;
			n++;
			v = 0; i = 0; pos = 0
		};
		// TaskDone
		done = false;
		if
		:: atomic { dopen -> d = dones };
			if
			:: d < hpos ->
				if
				:: atomic { dopen && dones == d -> dones++ }; done = true
				:: atomic { !(dopen && dones == d) }
				fi
			:: else
			fi
		:: !dopen
		fi;
		if
		:: done
		:: else ->
			lock_mu();
			shut(true);
			assert(dones < puts);
			dones++;
			if
			:: jwait && dones == puts -> jwait = false; mu = false; jserved = true
			:: else -> mu = false
			fi
		fi;
		d = 0
	od
}

#ifdef JOIN
proctype Joiner() {
	lock_mu();
	shut(true);
	if
	:: dones == puts -> mu = false
	:: else ->
		jwait = true;
		mu = false;
		jserved
	fi
}
#endif

init {
	byte i;
	atomic {
		for (i : 0 .. NP - 1) { run Producer(i) }
		for (i : 0 .. NC - 1) { run Consumer(i) }
#ifdef JOIN
		run Joiner()
#endif
	};
	_nr_pr == 1;
	assert(got == ALL && !mu)
}
