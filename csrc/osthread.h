/*
 * osthread.h - the objects that C and Go share
 *
 * All headers beside it that are for users; each also stands alone.
 *
 *	ost_mutex.h	ost_mutex_t	thread.Lock
 *	ost_pmutex.h	ost_pmutex_t	shared.Mutex
 *	ost_cond.h	ost_cond_t	shared.Cond
 *	ost_rwlock.h	ost_rwlock_t	shared.RWMutex
 *	ost_once.h	ost_once_t	shared.Once
 *	ost_sem.h	ost_sem_t	shared.Semaphore
 *	ost_event.h	ost_event_t	shared.Event
 *	ost_barrier.h	ost_barrier_t	shared.Barrier
 *	ost_ring.h	ost_ring_t	shared.Ring
 *	ost_segment.h	ost_segment_t	shared.Segment
 *
 * The third column is the Go type with the same layout: a pointer to either may
 * be used as a pointer to the other, by both languages at the same time, and
 * neither calls the other for it. Of a ring and a segment that is the memory;
 * the handles of both languages are their own. ost_os.h has the systems and
 * compilers, osthread.hpp classes for C++.
 *
 *	ost_sem_t posted = OST_SEM_INIT(0);		in C
 *	(*shared.Semaphore)(unsafe.Pointer(&C.posted))	in Go
 *
 * On Linux they need -D_GNU_SOURCE. A Go package whose C code includes one
 * imports example.com/thread/csrc for its side effects; the path for -I is
 * $(go list -m -f '{{.Dir}}' example.com/thread)/csrc.
 */
#ifndef OSTHREAD_H
#define OSTHREAD_H

#include "ost_barrier.h"
#include "ost_cond.h"
#include "ost_event.h"
#include "ost_mutex.h"
#include "ost_once.h"
#include "ost_pmutex.h"
#include "ost_ring.h"
#include "ost_rwlock.h"
#include "ost_segment.h"
#include "ost_sem.h"

#endif
