//go:build cgo && ((linux && !android) || darwin)

/*
 * pthread.c - what exists once a process or once a thread on the C side
 *
 * A file of its own because a header would make one of each for every file
 * that includes it.
 *
 *   - the keys, whose destructors report a thread's end: one for threads that
 *     can call Go at their end, one for threads made by Go. The value is the
 *     thread's slot. A constructor makes them, so that they are older than the
 *     key of Go's runtime, which is made at the first call into Go: destructors
 *     run in the order of the keys, and a call into Go in the last round, after
 *     Go's own destructor, leaks an M.
 *   - the slot, a word a thread that internal/ident reads at a fixed distance
 *     from the thread pointer. On Linux that is a thread-local variable of the
 *     initial-exec model, as Go's own is; on macOS the key's value itself.
 *   - the gate, which lets threads into Go one at a time.
 *   - the orphans: the slots of attached threads made by Go that have ended. No
 *     call into Go is possible there any more, so they wait to be collected.
 *   - the number of the key of Go's runtime, for threads that end below Go.
 */
#include "csrc/create.h"

#include <limits.h>

static pthread_key_t c_key, go_thread_key;
static int key_err;
static sigset_t first_mask;
static int (*on_end)(uintptr_t slot, uintptr_t back);
static void (*on_knock)(void);
static struct orphan *orphans;	/* a stack, by atomic access only */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
#ifndef __linux__
static int slot_err;
#endif

struct orphan {
	uintptr_t slot;
	struct orphan *next;
};

static void push_orphan(struct orphan *o)
{
	o->next = __atomic_load_n(&orphans, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(&orphans, &o->next, o, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/*
 * Keys that pthread_key_create hands out. On macOS those below are the
 * system's own, and there are 512 of them (libpthread, tsd_private.h:
 * _INTERNAL_POSIX_THREAD_KEYS_MAX and _END).
 */
#ifdef __linux__
#define FIRST_KEY	0
#define KEYS		PTHREAD_KEYS_MAX
#else
#define FIRST_KEY	256
#define KEYS		512
#endif

static pthread_once_t probed = PTHREAD_ONCE_INIT;
static pthread_key_t go_key;
static int go_key_known;

/*
 * probe - find the key of Go's runtime, on a thread that Go does not know yet
 *
 * The runtime sets it at a thread's first call into Go, and nothing else is set
 * there.
 */
static void *probe(void *unused)
{
	void *before[KEYS];
	pthread_key_t k;
	int set = 0;

	(void)unused;
	for (k = 0; k < KEYS; k++)
		before[k] = pthread_getspecific(FIRST_KEY + k);
	on_knock();
	for (k = 0; k < KEYS; k++) {
		if (pthread_getspecific(FIRST_KEY + k) == before[k])
			continue;
		go_key = FIRST_KEY + k;
		set++;
	}
	go_key_known = set == 1;
	return NULL;
}

static void find_go_key(void)
{
	pthread_t t;

	if (!pthread_create(&t, NULL, probe, NULL))
		pthread_join(t, NULL);
}

/*
 * strand - keep Go's runtime from using the calling thread's M again
 *
 * For a thread that ends while functions of Go stand on its stack: C code below
 * them called pthread_exit, or they called runtime.Goexit, which would end the
 * process on a thread that C made. The destructor of Go's key would put
 * the M up for use again, with those functions still on its goroutine's stack;
 * the collector, which has not seen them for a while, would then find pointers
 * to what it has freed, and abort the process. So the key is emptied, and the M
 * stays behind. Go can still be called on the thread, by other destructors. If
 * Go's key is not known, for want of a thread to find it by, all are emptied,
 * which costs what others would have done at the thread's end.
 *
 * The exit system call would do as well, but leaves musl's pthread_join
 * waiting, and with glibc the values of the keys to a later thread that gets
 * the same memory.
 */
static void strand(void)
{
	pthread_key_t k;

	pthread_once(&probed, find_go_key);
	if (go_key_known) {
		pthread_setspecific(go_key, NULL);
		return;
	}
	for (k = 0; k < KEYS; k++)
		pthread_setspecific(FIRST_KEY + k, NULL);
}

/*
 * ost_made_by_c_ - whether C made the calling thread, from a call of Go
 *
 * Not while packages are initialized, as Go holds up the thread that finds its
 * key until then.
 *
 * The runtime sets its key on such threads alone. Returns -1 if its key is not
 * known.
 */
int ost_made_by_c_(void)
{
	pthread_once(&probed, find_go_key);
	return go_key_known ? pthread_getspecific(go_key) != NULL : -1;
}

/* ost_end_ - do what is left to do on a thread whose part in Go ended so */
void ost_end_(int how)
{
	if (how & OST_LEAVE_)
		strand();
	if (how & OST_DETACH_)
		pthread_detach(pthread_self());
}

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ASAN
#endif

#ifdef ASAN

#include <sanitizer/asan_interface.h>

/*
 * unpoison_below - unpoison the stack below the calling function
 *
 * After a Goexit the runtime calls C on the part of the stack where frames of C
 * stood that did not return. Their redzones are still poisoned, and functions
 * of AddressSanitizer itself, which a jump calls, fail on them. Those functions
 * need 2 KiB.
 */
__attribute__((noinline, no_sanitize_address)) static void unpoison_below(void)
{
	const size_t size = 16 << 10;
	char *top = (char *)__builtin_frame_address(0);

	__asan_unpoison_memory_region(top - size, size);
}

#else

static inline void unpoison_below(void)
{
}

#endif

/*
 * ost_leave_ - end the calling thread, from a call of Go, without a return to
 * it
 *
 * back is the jmp_buf of the call of Go that the thread is in; 0 for a call
 * that is not from here, on a thread that somebody else made. A jump serves
 * better than pthread_exit, which in glibc loads a library of gcc's that small
 * containers lack, and aborts without it.
 */
void ost_leave_(uintptr_t back, int how)
{
	unpoison_below();
	if (back)
		_longjmp(*(jmp_buf *)back, how | OST_LEAVE_);
	ost_end_(how | OST_LEAVE_);
	pthread_exit(NULL);
}

/* thread_ends - the destructor of c_key */
static void thread_ends(void *slot)
{
	void *volatile unused = NULL;
	void *volatile *frame = OST_FRAME_(unused);
	void *outer = *frame;
	jmp_buf back;
	int how;

	(void)unused;
	*frame = NULL;
	how = _setjmp(back);
	if (!how)
		how = on_end((uintptr_t)slot, (uintptr_t)back);
	*frame = outer;
	ost_end_(how);
}

/*
 * go_thread_ends - the destructor of go_thread_key
 *
 * Without memory the end goes unreported; package thread then finds out when
 * the thread's record is used.
 */
static void go_thread_ends(void *slot)
{
	struct orphan *o = (struct orphan *)malloc(sizeof(*o));

	if (!o)
		return;
	o->slot = (uintptr_t)slot;
	push_orphan(o);
}

__attribute__((constructor)) static void make_keys(void)
{
	key_err = pthread_key_create(&c_key, thread_ends);
	if (!key_err)
		key_err = pthread_key_create(&go_thread_key, go_thread_ends);
	pthread_sigmask(SIG_SETMASK, NULL, &first_mask);
}

/* ost_gate_lock_ - pass the gate, which closes behind the caller */
void ost_gate_lock_(void)
{
	pthread_mutex_lock(&gate);
}

/* ost_gate_unlock_ - open the gate that the caller passed */
void ost_gate_unlock_(void)
{
	pthread_mutex_unlock(&gate);
}

/*
 * ost_callbacks_ - have end called at the end of each watched thread, on it,
 * and knocked where a thread is to call Go for the first time and for no other
 * end
 */
void ost_callbacks_(int (*end)(uintptr_t slot, uintptr_t back),
		    void (*knocked)(void))
{
	on_end = end;
	on_knock = knocked;
}

static void *knock(void *unused)
{
	on_knock();
	return unused;
}

/*
 * ost_knock_ - have a new thread call knocked, which Go holds up until package
 * initialization is over
 *
 * Returns 0 or what pthread returned.
 */
int ost_knock_(void)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, knock, NULL);

	if (!err)
		pthread_detach(t);
	return err;
}

/* ost_first_mask_ - the signal mask the process began with */
const sigset_t *ost_first_mask_(void)
{
	return &first_mask;
}

/*
 * ost_watch_ - have the calling thread's end reported
 *
 * Returns 0 or what pthread returned (EAGAIN when the process has no key left,
 * ENOMEM).
 */
int ost_watch_(uintptr_t slot, int go_thread)
{
	if (key_err)
		return key_err;
	return pthread_setspecific(go_thread ? go_thread_key : c_key,
				   (void *)slot);
}

/* ost_unwatch_ - undo ost_watch_, if it was called */
void ost_unwatch_(void)
{
	if (key_err)
		return;
	pthread_setspecific(c_key, NULL);
	pthread_setspecific(go_thread_key, NULL);
}

/* ost_orphan_ - take the slot of one orphan; 0 when there is none */
uintptr_t ost_orphan_(void)
{
	struct orphan *all, *o;
	uintptr_t slot;

	/* Taking all and putting the rest back avoids the ABA of a pop. */
	all = __atomic_exchange_n(&orphans, NULL, __ATOMIC_SEQ_CST);
	if (!all)
		return 0;
	slot = all->slot;
	while (all->next) {
		o = all->next;
		all->next = o->next;
		push_orphan(o);
	}
	free(all);
	return slot;
}

#ifdef __linux__

static __thread uintptr_t slot __attribute__((tls_model("initial-exec")));

/* ost_slot_ - the calling thread's word */
uintptr_t *ost_slot_(void)
{
	return &slot;
}

#else

#define SLOT_WORDS	1024	/* of a thread's structure, from its start */

static pthread_key_t slot_key;

__attribute__((constructor)) static void make_slot(void)
{
	slot_err = pthread_key_create(&slot_key, NULL);
}

/*
 * ost_slot_ - the calling thread's word; null when it is not found
 *
 * The values of a thread's keys lie in the structure that pthread_self points
 * to, at a place that is not documented but is the same in every thread. Go's
 * runtime finds its own word likewise.
 */
uintptr_t *ost_slot_(void)
{
	uintptr_t *self = (uintptr_t *)pthread_self();
	uintptr_t mark = (uintptr_t)&slot_key;
	uintptr_t *found = NULL;
	int i;

	if (slot_err || pthread_setspecific(slot_key, (void *)mark))
		return NULL;
	for (i = 0; i < SLOT_WORDS && !found; i++)
		if (self[i] == mark)
			found = &self[i];
	pthread_setspecific(slot_key, NULL);
	return found && !*found ? found : NULL;
}

#endif
