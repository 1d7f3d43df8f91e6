/*
 * create.h - how package thread makes threads and observes their end
 *
 * For pthread_*.go and pthread.c only.
 *
 * Ownership: ost_create_ allocates the arguments. Once pthread_create succeeds
 * the new thread owns and frees them.
 */
#ifndef OSTHREAD_CREATE_H
#define OSTHREAD_CREATE_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * How a thread's part in Go ended, as bits: the result of entry and of the
 * function called at a watched thread's end, and the argument of ost_leave_.
 */
#define OST_DETACH_	1	/* nobody is going to join it */
#define OST_LEAVE_	2	/* frames of Go are on its stack: see strand */

/* The process's keys, its admission lock and each thread's word: pthread.c. */
extern uintptr_t *ost_slot_(void);
extern void ost_admit_lock_(void);
extern void ost_admit_unlock_(void);
extern int ost_watch_(uintptr_t slot, int go_thread);
extern void ost_unwatch_(void);
extern uintptr_t ost_exited_(void);
extern void ost_callbacks_(int (*end)(uintptr_t slot, uintptr_t back),
			   void (*probed)(void));
extern int ost_probe_(void);
extern int ost_made_by_c_(void);
extern void ost_end_(int how);
extern void ost_leave_(uintptr_t back, int how);
extern const sigset_t *ost_first_mask_(void);

/*
 * OST_FRAME_ - where the calling function stores its caller's frame pointer
 *
 * Go's execution tracer follows frame pointers on these two processors. From a
 * goroutine that waits for a coroutine of iter.Pull it continues into the
 * frames of C below (Go 1.26), and the process crashes if C uses the register
 * for something else. So this package is compiled with frame pointers, and the
 * chain is cut where a thread enters Go.
 */
#if defined(__x86_64__) || defined(__aarch64__)
#define OST_FRAME_(unused)	((void *volatile *)__builtin_frame_address(0))
#else
#define OST_FRAME_(unused)	(&(unused))
#endif

struct ost_args_ {
	int (*entry)(uintptr_t slot, uintptr_t back);
	uintptr_t slot;
	sigset_t mask;
};

static void *ost_run_(void *p)
{
	struct ost_args_ args = *(struct ost_args_ *)p;
	void *volatile unused = NULL;
	void *volatile *frame = OST_FRAME_(unused);
	void *outer = *frame;
	jmp_buf back;
	int old, how;

	(void)unused;
	free(p);
	/*
	 * Cancellation would skip the deferred calls of Go's frames, so it
	 * stays disabled unless C code below enables it.
	 */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_sigmask(SIG_SETMASK, &args.mask, NULL);
	/*
	 * First calls into Go poll one list, with sleeps in between: for 10,000
	 * threads at once that takes 38 s, one at a time 2 s. Go releases the
	 * admission lock.
	 */
	ost_admit_lock_();
	/*
	 * The watch is for C code that calls pthread_exit under the body. If
	 * there is no key left that goes unnoticed; all else works.
	 */
	ost_watch_(args.slot, 0);
	*frame = NULL;
	how = _setjmp(back);
	if (!how)
		how = args.entry(args.slot, (uintptr_t)back);
	*frame = outer;
	ost_unwatch_();
	ost_end_(how);
	return NULL;
}

/*
 * ost_create_ - make a thread that calls entry(slot, back)
 *
 * back is for ost_leave_. stack and guard are in bytes; a stack of 0 and a
 * negative guard ask for the defaults. mask is the new thread's signal mask:
 * bit n-1 blocks signal n. A null mask stands for the one that the process
 * began with.
 *
 * Returns 0 and the thread in *out, or what pthread returned, with nothing left
 * allocated.
 */
static inline int ost_create_(pthread_t *out, size_t stack, long guard,
			      const uint64_t *mask,
			      int (*entry)(uintptr_t, uintptr_t),
			      uintptr_t slot)
{
	struct ost_args_ *args;
	pthread_attr_t attr;
	int err, sig;

	args = (struct ost_args_ *)malloc(sizeof(*args));
	if (!args)
		return EAGAIN;
	args->entry = entry;
	args->slot = slot;
	args->mask = *ost_first_mask_();
	if (mask) {
		sigemptyset(&args->mask);
		for (sig = 1; sig <= 64; sig++)
			if (*mask >> (sig - 1) & 1)
				sigaddset(&args->mask, sig);
	}
	err = pthread_attr_init(&attr);
	if (err)
		goto out_args;
	if (stack)
		err = pthread_attr_setstacksize(&attr, stack);
	if (!err && guard >= 0)
		err = pthread_attr_setguardsize(&attr, (size_t)guard);
	if (!err)
		err = pthread_create(out, &attr, ost_run_, args);
	pthread_attr_destroy(&attr);
	if (!err)
		return 0;
out_args:
	free(args);
	return err;
}

#endif
