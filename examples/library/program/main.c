/*
 * main.c - a C program that has package osthread from a library
 *
 * Threads of C, some generations of them, call Go at once, and lock what Go
 * locks. Linked with the library, or with -DLIBRARY="\"/path/lib.so\"" loaded
 * by dlopen.
 */
#include "osthread.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define GENERATIONS	5
#define THREADS		12
#define VISITS		200
#define CALLS		(GENERATIONS * THREADS * VISITS)

static struct {
	int (*begin)(void);
	int (*visit)(ost_mutex_t *m, long *counter);
	int (*renew)(void);
	int (*end)(long calls);
	int (*left)(long records, long calls);
} lib;

#ifdef LIBRARY

static void *symbol(void *handle, const char *name)
{
	void *p = dlsym(handle, name);

	if (!p) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return p;
}

static void load(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	*(void **)&lib.begin = symbol(handle, "lib_begin");
	*(void **)&lib.visit = symbol(handle, "lib_visit");
	*(void **)&lib.renew = symbol(handle, "lib_renew");
	*(void **)&lib.end = symbol(handle, "lib_end");
	*(void **)&lib.left = symbol(handle, "lib_left");
}

#else

extern int lib_begin(void);
extern int lib_visit(ost_mutex_t *m, long *counter);
extern int lib_renew(void);
extern int lib_end(long calls);
extern int lib_left(long records, long calls);

static void load(void)
{
	lib.begin = lib_begin;
	lib.visit = lib_visit;
	lib.renew = lib_renew;
	lib.end = lib_end;
	lib.left = lib_left;
}

#endif

static ost_mutex_t m = OST_MUTEX_INIT;
static long counter;

static void check(const char *what, int err)
{
	if (err) {
		fprintf(stderr, "%s: %d\n", what, err);
		exit(1);
	}
}

static void *visitor(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < VISITS; i++) {
		check("visit", lib.visit(&m, &counter));
		if (i == VISITS / 2)
			check("renew", lib.renew());
		ost_mutex_lock(&m);
		counter++;
		ost_mutex_unlock(&m);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	int i, generation;

	load();
	check("begin", lib.begin());
	for (generation = 0; generation < GENERATIONS; generation++) {
		for (i = 0; i < THREADS; i++)
			check("create", pthread_create(&t[i], NULL, visitor,
						       NULL));
		for (i = 0; i < THREADS; i++)
			check("join", pthread_join(t[i], NULL));
	}
	check("end", lib.end(CALLS));
	check("left", lib.left(2 * GENERATIONS * THREADS, CALLS));
	check("counter", counter != 2 * CALLS);
	puts("done");
	return 0;
}
