/*
 * ost_once.h - the once that C and Go share
 *
 * ost_once_t has the layout of the Go type shared.Once: a pointer to either may
 * be used as a pointer to the other, by both languages at the same time. It is
 * POSIX's pthread_once_t, also for several processes.
 *
 *	static ost_once_t once = OST_ONCE_INIT;
 *
 *	ost_once(&once, init);
 *
 * The word is that of ost_owner.h:
 *
 *	free -> the runner	the first call, which runs the function
 *	the runner -> OVER	when the function has returned; wakes all
 *	the runner -> free	if it fails, as by a panic in Go: the next call
 *				runs its function
 *	dead -> a waiter	if the runner died; the waiter runs its function
 *
 * A call that finds another one running waits for it. On Linux a runner that
 * dies, as a process that is killed or a thread that exits within the function,
 * leaves the object as if it had not been called: then the function runs again,
 * over what the dead one left. ost_owner.h has how that is seen.
 *
 * Memory that was corrupted is EINVAL (the mark of another kind of object), or
 * is taken for an object whose function has run or is running.
 *
 * Memory order: the function's return happens before the return of each call.
 */
#ifndef OST_ONCE_H
#define OST_ONCE_H

#include "ost_owner.h"
#include "ost_word.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
	OST_ALIGNED_8_ uint64_t owner;	/* accessed only atomically */
	uint32_t attr;
	uint32_t pad_;
} ost_once_t;

#define OST_ONCE_MARK_	0x4f4e0000u
#define OST_ONCE_FLAGS_	OST_PSHARED
#define OST_ONCE_INIT	{ 0, 0, 0 }

/*
 * ost_once_init - make o an object whose function has not run
 *
 * flags is 0 or OST_PSHARED. Memory of zeros is one, too, for one process.
 * Nobody may use o meanwhile. There is nothing to destroy.
 *
 * Returns 0, EINVAL for other flags, ENOTSUP if the system cannot share between
 * processes.
 */
static inline int ost_once_init(ost_once_t *o, unsigned flags)
{
	int err = ost_attr_init_(&o->attr, OST_ONCE_MARK_, flags,
				 OST_ONCE_FLAGS_);

	if (err)
		return err;
	o->pad_ = 0;
	__atomic_store_n(&o->owner, 0, __ATOMIC_SEQ_CST);
	return 0;
}

/*
 * ost_once_is_done - whether the function of o has returned
 *
 * It does not sleep: a signal handler and a real-time thread may call it.
 */
static inline int ost_once_is_done(ost_once_t *o)
{
	return ost_own_over_(ost_load64_(&o->owner));
}

/*
 * ost_once_begin - find out whether the caller is to run the function of o
 *
 * For languages with exceptions; ost_once is for C. It waits while another
 * thread runs the function, on Linux until it has died.
 *
 * Returns 0 if the caller runs the function and then calls ost_once_end;
 * EALREADY if it has run; EDEADLK if the caller is running it; EINVAL if o is
 * corrupted.
 */
static inline int ost_once_begin(ost_once_t *o)
{
	ost_limit_ limit;
	uint64_t self;
	unsigned flags;
	int err = ost_attr_(&o->attr, OST_ONCE_MARK_, OST_ONCE_FLAGS_, &flags);

	if (err)
		return err;
	if (ost_once_is_done(o))
		return EALREADY;
	self = ost_self_();
	if (ost_own_is_(ost_load64_(&o->owner), self))
		return EDEADLK;
	ost_limit_init_(&limit, flags | OST_ROBUST, CLOCK_MONOTONIC, 0);
	err = ost_own_lock_(&o->owner, self, &limit);
	if (err == EOWNERDEAD)
		err = ost_own_consistent_(&o->owner, self);
	return err == ENOTRECOVERABLE ? EALREADY : err;
}

/*
 * ost_once_end - say that the function of o has returned, or with done 0 that
 * it has failed and o is as if it had not been called
 *
 * Returns 0, EPERM if the caller is not running it, EINVAL if o is corrupted.
 */
static inline int ost_once_end(ost_once_t *o, int done)
{
	unsigned flags;
	int err = ost_attr_(&o->attr, OST_ONCE_MARK_, OST_ONCE_FLAGS_, &flags);

	if (err)
		return err;
	if (!ost_own_is_(ost_load64_(&o->owner), ost_self_()))
		return EPERM;
	if (done)
		ost_own_end_(&o->owner, flags);
	else
		ost_own_unlock_(&o->owner, flags);
	return 0;
}

/*
 * ost_once - call function, unless a call with o has returned before
 *
 * If another thread is in such a call it waits for the end of it. It is not for
 * signal handlers. Of several functions that are called with o one runs.
 *
 * Returns 0 once a function has run, EDEADLK if it is called by function
 * itself, EINVAL if o is corrupted.
 */
static inline int ost_once(ost_once_t *o, void (*function)(void))
{
	int err = ost_once_begin(o);

	if (err)
		return err == EALREADY ? 0 : err;
	function();
	return ost_once_end(o, 1);
}

#ifdef __cplusplus
}
#endif

#endif
