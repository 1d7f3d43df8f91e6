/*
 * ost_word.h - the words of the objects that C and Go share
 *
 * What the objects have in common beside the sleep: the attribute word and its
 * check, the halves of a word of 64 bits, compare-and-swap, and the pause of a
 * loop of compare-and-swaps that keeps failing, so that a process which changes
 * a word all the time slows its peers down and does not keep them busy.
 */
#ifndef OST_WORD_H
#define OST_WORD_H

#include "ost_os.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OST_ALIGNED_8_	__attribute__((aligned(8)))

/* how often a wait polls its word before it sleeps, as Rust's std */
#define OST_POLLS_	100

/*
 * The attribute word of an object: the flags of init, at most 0xffff, below a
 * mark of its type that init sets. 0 is an object that was never initialized:
 * no flags. Returns 0 and the flags, or EINVAL for another type's mark and for
 * flags that the type does not have.
 */
static inline int ost_attr_(uint32_t *attr, uint32_t mark, unsigned allowed,
			    unsigned *flags)
{
	uint32_t a = __atomic_load_n(attr, __ATOMIC_RELAXED);

	*flags = a & 0xffffu;
	if (a && (a & 0xffff0000u) != mark)
		return EINVAL;
	return *flags & ~allowed ? EINVAL : 0;
}

/* Returns 0 and sets the attribute word, EINVAL for flags that are not allowed,
 * or ENOTSUP. */
static inline int ost_attr_init_(uint32_t *attr, uint32_t mark, unsigned flags,
				 unsigned allowed)
{
	if (flags & ~allowed)
		return EINVAL;
#if !defined(__linux__) && !defined(__APPLE__)
	if (flags & OST_PSHARED)
		return ENOTSUP;
#endif
	__atomic_store_n(attr, mark | flags, __ATOMIC_SEQ_CST);
	return 0;
}

/* The low (0) or high (1) half of a word of 64 bits, to sleep on. */
static inline uint32_t *ost_half_(uint64_t *word, int high)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	high = !high;
#endif
	return (uint32_t *)(void *)word + high;
}

static inline int ost_cas_(uint32_t *word, uint32_t *from, uint32_t to)
{
	return __atomic_compare_exchange_n(word, from, to, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static inline int ost_cas64_(uint64_t *word, uint64_t *from, uint64_t to)
{
	return __atomic_compare_exchange_n(word, from, to, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static inline uint64_t ost_load64_(uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/*
 * Counts a failed compare-and-swap, and sleeps for 1 ms after each
 * OST_FAILURES_ of them. Returns ETIMEDOUT if limit, which may be null, has
 * ended by then, and otherwise 0.
 */
static inline int ost_backoff_(unsigned *failures, const ost_limit_ *limit)
{
	if (++*failures % OST_FAILURES_)
		return 0;
	ost_nap_();
	return limit && limit->at && !ost_limit_left_(limit) ? ETIMEDOUT : 0;
}

#ifdef __cplusplus
}
#endif

#endif
