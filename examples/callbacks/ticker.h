#include <stdint.h>

/*
 * ticker - a C library that calls its user back on threads of its own
 *
 * ticker_start makes threads that each call fn(user, 0) to fn(user, ticks - 1).
 * It returns NULL, with errno set, if it cannot. ticker_stop waits for the
 * threads; fn is not called after it has returned.
 */
typedef void (*ticker_fn)(uintptr_t user, int n);

struct ticker;
struct ticker *ticker_start(int threads, int ticks, ticker_fn fn, uintptr_t user);
void ticker_stop(struct ticker *t);
