//go:build cgo && ((linux && !android) || darwin)

/*
 * pthread.c - what exists once a process or once a thread on the C side
 *
 * A file of its own because a header would make one of each for every file
 * that includes it.
 *
 *   - the key, whose destructor tells of a thread's end. It is made by a
 *     constructor so that it is older than the key of Go's runtime, made at the first
 *     call into Go: destructors run in the order of the keys, and a call into
 *     Go after Go's own destructor has run costs an M for ever, if it
 *     comes in the last round.
 *   - the slot, a word a thread that internal/ident reads at a fixed distance
 *     from the thread pointer. On Linux that is a thread-local variable of the
 *     initial-exec model, as Go's own is; on macOS the key's value itself.
 *   - the gate, which lets threads into Go one at a time.
 *   - the orphans: watches of threads made by Go that ended without notice. No
 *     call into Go is possible there any more, so they wait to be collected.
 */
#include "csrc/create.h"

#include <limits.h>
#include <unistd.h>

static pthread_key_t key;
static int key_err;
static sigset_t first_mask;
static int (*on_end)(uintptr_t slot);
static struct ost_watch_ *orphans;	/* a stack, by atomic access only */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
#ifndef __linux__
static int slot_err;
#endif

static void push_orphan(struct ost_watch_ *w)
{
	w->next = __atomic_load_n(&orphans, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(&orphans, &w->next, w, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/*
 * leave - end the calling thread without running what else has destructors
 *
 * For a thread that C code ended by pthread_exit while functions of Go stood on
 * its stack. Go's own destructor would put the M up for use again, with those
 * functions still on its goroutine's stack; the collector, which has not seen
 * them for a while, would then find pointers to what it has freed, and abort
 * the process. So the M stays taken, some 15 KB.
 *
 *   - on Linux by emptying all keys, which are numbers from 0 with glibc and
 *     musl; one that nobody made may be set to nothing. The thread then ends as
 *     any other. The exit system call would leave musl's pthread_join waiting,
 *     and with glibc the values of the keys, Go's among them, to a later thread
 *     that gets the same memory;
 *   - on macOS the thread sleeps on.
 */
#ifdef __linux__

static void leave(void)
{
	pthread_key_t k;

	for (k = 0; k < PTHREAD_KEYS_MAX; k++)
		pthread_setspecific(k, NULL);
}

#else

static void leave(void)
{
	for (;;)
		pause();
}

#endif

/* thread_ends - the key's destructor */
static void thread_ends(void *p)
{
	struct ost_watch_ *w = (struct ost_watch_ *)p;
	uintptr_t slot = w->slot;

	if (w->go_thread) {
		push_orphan(w);
		return;
	}
	free(w);
	if (on_end(slot) == OST_LEAVE_)
		leave();
}

__attribute__((constructor)) static void make_key(void)
{
	key_err = pthread_key_create(&key, thread_ends);
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

/* ost_on_end_ - make end hear of each end of a watched thread, on that thread */
void ost_on_end_(int (*end)(uintptr_t slot))
{
	on_end = end;
}

/* ost_first_mask_ - the signal mask the process began with */
const sigset_t *ost_first_mask_(void)
{
	return &first_mask;
}

/*
 * ost_watch_ - have the calling thread's end told
 *
 * Returns 0 or what pthread returned (EAGAIN when the process has no key left,
 * ENOMEM).
 */
int ost_watch_(uintptr_t slot, int go_thread)
{
	struct ost_watch_ *w;
	int err;

	if (key_err)
		return key_err;
	w = (struct ost_watch_ *)malloc(sizeof(*w));
	if (!w)
		return ENOMEM;
	w->slot = slot;
	w->go_thread = go_thread;
	w->next = NULL;
	err = pthread_setspecific(key, w);
	if (err)
		free(w);
	return err;
}

/* ost_unwatch_ - undo ost_watch_, if it was called */
void ost_unwatch_(void)
{
	free(pthread_getspecific(key));
	pthread_setspecific(key, NULL);
}

/* ost_orphan_ - take one ended thread made by Go; 0 when there is none */
uintptr_t ost_orphan_(void)
{
	struct ost_watch_ *all, *w;
	uintptr_t slot;

	/* Taking all and putting the rest back avoids the ABA of a pop. */
	all = __atomic_exchange_n(&orphans, NULL, __ATOMIC_SEQ_CST);
	if (!all)
		return 0;
	slot = all->slot;
	while (all->next) {
		w = all->next;
		all->next = w->next;
		push_orphan(w);
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
