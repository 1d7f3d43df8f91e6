//go:build cgo && ((linux && !android) || darwin)

/*
 * pthread.c - what exists once per process or once per thread on the C side
 *
 * It is not a header, which would define one of each in every file that
 * includes it.
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
 *   - the admission lock, which lets threads into Go one at a time.
 *   - the slots of attached threads made by Go that have exited. They could not
 *     call Go any more, so they are queued here until Go takes them.
 *   - the key of Go's runtime, for threads that end below Go.
 */
#include "csrc/create.h"

#include <limits.h>

static pthread_key_t c_key, go_thread_key;
static int key_err;
static sigset_t first_mask;
static int (*on_end)(uintptr_t slot, uintptr_t back);
static void (*on_probe)(void);
static struct exited *exited_threads;	/* a stack, by atomic access only */
static pthread_mutex_t admission = PTHREAD_MUTEX_INITIALIZER;
#ifndef __linux__
static int slot_err;
#endif

struct exited {
	uintptr_t slot;
	struct exited *next;
};

static void push_exited(struct exited *o)
{
	o->next = __atomic_load_n(&exited_threads, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(&exited_threads, &o->next, o, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/*
 * The keys that pthread_key_create returns. On macOS lower keys are the
 * system's own, and there are 512 keys (libpthread, tsd_private.h:
 * _INTERNAL_POSIX_THREAD_KEYS_MAX and _END).
 */
#ifdef __linux__
#define FIRST_KEY	0
#define KEYS		PTHREAD_KEYS_MAX
#else
#define FIRST_KEY	256
#define KEYS		512
#endif

static pthread_once_t searched = PTHREAD_ONCE_INIT;
static pthread_key_t go_key;
static int go_key_known;

/*
 * search - find the key of Go's runtime, on a thread that Go does not know yet
 *
 * The runtime sets the key in a thread's first call into Go, which sets no
 * other key.
 */
static void *search(void *unused)
{
	void *before[KEYS];
	pthread_key_t k;
	int set = 0;

	(void)unused;
	for (k = 0; k < KEYS; k++)
		before[k] = pthread_getspecific(FIRST_KEY + k);
	on_probe();
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

	if (!pthread_create(&t, NULL, search, NULL))
		pthread_join(t, NULL);
}

/*
 * strand - keep Go's runtime from reusing the calling thread's M
 *
 * For a thread that ends while frames of Go are on its stack: C code below them
 * called pthread_exit, or they called runtime.Goexit, which would abort the
 * process on a thread that C made. The destructor of Go's key would release the
 * M for reuse, with those frames still on its goroutine's stack. The garbage
 * collector, which has not scanned them for a while, would then find pointers
 * to freed memory, and abort the process. So the key is cleared and the M is
 * leaked. Destructors can still call Go on the thread. If Go's key is not
 * known, for lack of a thread to find it with, all keys are cleared, and what
 * their destructors would have freed is leaked.
 *
 * The exit system call would serve, too, but it makes musl's pthread_join hang,
 * and in glibc a later thread that gets the same memory inherits the values of
 * the keys.
 */
static void strand(void)
{
	pthread_key_t k;

	pthread_once(&searched, find_go_key);
	if (go_key_known) {
		pthread_setspecific(go_key, NULL);
		return;
	}
	for (k = 0; k < KEYS; k++)
		pthread_setspecific(FIRST_KEY + k, NULL);
}

/*
 * ost_made_by_c_ - whether C made the calling thread, for a call from Go
 *
 * The runtime sets its key on such threads only. Returns -1 if the key is not
 * known. Must not be called during package initialization, since until its end
 * Go does not let the thread in that finds the key.
 */
int ost_made_by_c_(void)
{
	pthread_once(&searched, find_go_key);
	return go_key_known ? pthread_getspecific(go_key) != NULL : -1;
}

/* ost_end_ - end the calling thread's part in Go; how says how it ended */
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
 * ost_leave_ - end the calling thread, for a call from Go; does not return
 *
 * back is the jmp_buf of the call of Go that the thread is in, or 0 if that
 * call was not made here, on a thread that other code made. A jump is better
 * than pthread_exit: glibc's loads a library of gcc's that small containers
 * lack, and aborts without it.
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
 * If there is no memory the exit is not reported, and package thread notices it
 * when it next uses the thread's record.
 */
static void go_thread_ends(void *slot)
{
	struct exited *o = (struct exited *)malloc(sizeof(*o));

	if (!o)
		return;
	o->slot = (uintptr_t)slot;
	push_exited(o);
}

__attribute__((constructor)) static void make_keys(void)
{
	key_err = pthread_key_create(&c_key, thread_ends);
	if (!key_err)
		key_err = pthread_key_create(&go_thread_key, go_thread_ends);
	pthread_sigmask(SIG_SETMASK, NULL, &first_mask);
}

/* ost_admit_lock_ - acquire the admission lock */
void ost_admit_lock_(void)
{
	pthread_mutex_lock(&admission);
}

/* ost_admit_unlock_ - release the admission lock */
void ost_admit_unlock_(void)
{
	pthread_mutex_unlock(&admission);
}

/*
 * ost_callbacks_ - set the functions of Go: end is called at the end of each
 * watched thread, on it; probed is called only to enter Go
 */
void ost_callbacks_(int (*end)(uintptr_t slot, uintptr_t back),
		    void (*probed)(void))
{
	on_end = end;
	on_probe = probed;
}

static void *probe(void *unused)
{
	on_probe();
	return unused;
}

/*
 * ost_probe_ - make a thread that calls probed, which Go does not let in until
 * package initialization is over
 *
 * Returns 0 or what pthread returned.
 */
int ost_probe_(void)
{
	pthread_t t;
	int err = pthread_create(&t, NULL, probe, NULL);

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

/* ost_exited_ - take the slot of one exited thread; 0 if there is none */
uintptr_t ost_exited_(void)
{
	struct exited *all, *o;
	uintptr_t slot;

	/* Taking all and putting the rest back avoids the ABA of a pop. */
	all = __atomic_exchange_n(&exited_threads, NULL, __ATOMIC_SEQ_CST);
	if (!all)
		return 0;
	slot = all->slot;
	while (all->next) {
		o = all->next;
		all->next = o->next;
		push_exited(o);
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
 * ost_slot_ - the calling thread's word; null if it is not found
 *
 * The values of a thread's keys are in the structure that pthread_self points
 * to, at an offset that is not documented but is the same in every thread. Go's
 * runtime finds its own word in the same way.
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
