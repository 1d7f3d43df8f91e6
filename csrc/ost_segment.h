/*
 * ost_segment.h - memory that processes share: made, mapped, checked
 *
 * A segment is a header of 128 bytes and size bytes for its users, which place
 * objects of the other headers in it at offsets that they agree on, by name in
 * a struct or by number. shared.Segment is the same in Go. Linux, and macOS
 * without memfd; on Windows every function returns ENOTSUP.
 *
 *	ost_segment_t s;
 *	ost_ring_t *r;
 *
 *	err = ost_segment_memfd(&s, "audio", 1 << 20, 7);
 *	err = ost_segment_at(&s, 0, ost_ring_size(65536), 128, (void **)&r);
 *	err = ost_ring_init(r, ost_ring_size(65536), 65536, OST_PSHARED);
 *	err = ost_segment_pass(&s, &fd);	(and fork and exec)
 *
 * The header, each word in the order of the processor that made it:
 *
 *	0	"OSeg"		stored last: until then the segment is not ready
 *	4	layout		of this header and of all objects, 1
 *	8	order		0x01020304
 *	12	words		bytes of a pointer: 4 or 8
 *	16	version		the user's
 *	20	0
 *	24	size		of the file, 64 bits
 *	32	0		to 128
 *
 * Attaching reads each word once and compares all; what does not fit is EPROTO.
 * The words are not read again: a peer that changes them later changes nothing.
 * A peer that reads a process's size from there could not be trusted with it:
 * bounds are those of the mapping.
 *
 * A mapping beyond the end of its file kills by SIGBUS, so a peer that can
 * shrink the file can kill all others. A memfd is therefore sealed against
 * shrinking and growing before any other process has it, and
 * ost_segment_attach, for descriptors that come from elsewhere, refuses one
 * that is not (EPERM). A file or a shm_open name cannot be sealed: use them
 * between peers that trust each other, or that may not write the file's length
 * (the same permission as writing the memory). The memory is allocated when the
 * segment is made, so a full file system is ENOSPC then and not SIGBUS later;
 * macOS, and file systems that cannot, leave holes.
 *
 * Functions return 0 or a positive errno value, and never set errno. They make
 * system calls: none is for real-time threads, or async-signal-safe, except
 * ost_segment_at, which is both. A handle is private to its process and to one
 * thread at a time.
 */
#ifndef OST_SEGMENT_H
#define OST_SEGMENT_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define OST_SEGMENT_HEADER	128	/* bytes */
#define OST_SEGMENT_LAYOUT	1u
#define OST_SEGMENT_ORDER_	0x01020304u

typedef struct {
	uint32_t magic;		/* "OSeg" in memory */
	uint32_t layout;
	uint32_t order;
	uint32_t words;
	uint32_t version;
	uint32_t zero;
	uint64_t size;
	uint64_t rest[12];
} ost_segment_head_;

typedef struct {
	uint8_t *base;		/* of the mapping; null: detached */
	size_t size;		/* of the mapping */
	int fd;
	int sealed;		/* no peer can shrink it */
} ost_segment_t;

/*
 * ost_segment_size - bytes for the users of s, 0 if it is detached
 */
static inline size_t ost_segment_size(const ost_segment_t *s)
{
	return s->base ? s->size - OST_SEGMENT_HEADER : 0;
}

/*
 * ost_segment_at - *p is the address of size bytes at offset, aligned to align
 *
 * offset counts from behind the header, which is aligned to 128. align is a
 * power of two up to 4096.
 *
 * Returns 0; ERANGE if the bytes are not all in the segment; EINVAL if offset
 * is not a multiple of align, align is none, or s is detached. *p is then
 * untouched. Async-signal-safe; for real-time threads.
 */
static inline int ost_segment_at(const ost_segment_t *s, size_t offset,
				 size_t size, size_t align, void **p)
{
	size_t all = ost_segment_size(s);

	if (!s->base || !align || align & (align - 1) || align > 4096)
		return EINVAL;
	if (offset > all || size > all - offset)
		return ERANGE;
	if ((OST_SEGMENT_HEADER + offset) & (align - 1))
		return EINVAL;
	*p = s->base + OST_SEGMENT_HEADER + offset;
	return 0;
}

#ifdef _WIN32

static inline int ost_segment_memfd(ost_segment_t *s, const char *name,
				    size_t size, uint32_t version)
{
	(void)s, (void)name, (void)size, (void)version;
	return ENOTSUP;
}

static inline int ost_segment_create(ost_segment_t *s, const char *path,
				     unsigned mode, size_t size,
				     uint32_t version)
{
	(void)s, (void)path, (void)mode, (void)size, (void)version;
	return ENOTSUP;
}

static inline int ost_segment_open(ost_segment_t *s, const char *path,
				   uint32_t version)
{
	(void)s, (void)path, (void)version;
	return ENOTSUP;
}

static inline int ost_segment_shm_create(ost_segment_t *s, const char *name,
					 unsigned mode, size_t size,
					 uint32_t version)
{
	(void)s, (void)name, (void)mode, (void)size, (void)version;
	return ENOTSUP;
}

static inline int ost_segment_shm_open(ost_segment_t *s, const char *name,
				       uint32_t version)
{
	(void)s, (void)name, (void)version;
	return ENOTSUP;
}

static inline int ost_segment_attach(ost_segment_t *s, int fd,
				     uint32_t version)
{
	(void)s, (void)fd, (void)version;
	return ENOTSUP;
}

static inline int ost_segment_pass(const ost_segment_t *s, int *fd)
{
	(void)s, (void)fd;
	return ENOTSUP;
}

static inline int ost_segment_detach(ost_segment_t *s)
{
	(void)s;
	return ENOTSUP;
}

#else

static inline uint32_t ost_segment_magic_(void)
{
	uint32_t magic;

	memcpy(&magic, "OSeg", sizeof(magic));
	return magic;
}

/* The result of a system call that may have failed, errno put back. */
static inline int ost_segment_errno_(int failed, int saved)
{
	int err = failed ? errno : 0;

	errno = saved;
	return err;
}

static inline int ost_segment_map_(ost_segment_t *s, int fd, size_t size)
{
	int saved = errno;
	void *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int err = ost_segment_errno_(p == MAP_FAILED, saved);

	if (err)
		return err;
	s->base = (uint8_t *)p;
	s->size = size;
	s->fd = fd;
	s->sealed = 0;
	return 0;
}

static inline void ost_segment_close_(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

#ifdef __linux__

#define OST_MFD_CLOEXEC_	1u
#define OST_MFD_SEALING_	2u
#define OST_ADD_SEALS_		1033
#define OST_GET_SEALS_		1034
#define OST_SEAL_SEAL_		1
#define OST_SEAL_SHRINK_	2
#define OST_SEAL_GROW_		4

/* Gives the file its size and its memory. */
static inline int ost_segment_allocate_(int fd, size_t size)
{
	int err = posix_fallocate(fd, 0, (off_t)size);
	int saved = errno;

	if (err != EOPNOTSUPP && err != EINVAL && err != ENOSYS)
		return err;
	return ost_segment_errno_(ftruncate(fd, (off_t)size) == -1, saved);
}

static inline int ost_segment_is_sealed_(int fd)
{
	int saved = errno;
	int seals = fcntl(fd, OST_GET_SEALS_);

	errno = saved;
	return seals != -1 && seals & OST_SEAL_SHRINK_;
}

#else

static inline int ost_segment_allocate_(int fd, size_t size)
{
	int saved = errno;

	return ost_segment_errno_(ftruncate(fd, (off_t)size) == -1, saved);
}

static inline int ost_segment_is_sealed_(int fd)
{
	(void)fd;
	return 0;
}

#endif

/* Makes the new, empty file fd, which it takes, a segment of size bytes. */
static inline int ost_segment_make_(ost_segment_t *s, int fd, size_t size)
{
	int err;

	if (size > (size_t)PTRDIFF_MAX - OST_SEGMENT_HEADER) {
		ost_segment_close_(fd);
		return EINVAL;
	}
	size += OST_SEGMENT_HEADER;
	err = ost_segment_allocate_(fd, size);
	if (!err)
		err = ost_segment_map_(s, fd, size);
	if (err)
		ost_segment_close_(fd);
	return err;
}

/* Writes the header, the magic last. */
static inline void ost_segment_ready_(ost_segment_t *s, uint32_t version)
{
	ost_segment_head_ *h = (ost_segment_head_ *)(void *)s->base;

	h->layout = OST_SEGMENT_LAYOUT;
	h->order = OST_SEGMENT_ORDER_;
	h->words = sizeof(void *);
	h->version = version;
	h->size = s->size;
	__atomic_store_n(&h->magic, ost_segment_magic_(), __ATOMIC_SEQ_CST);
}

/*
 * ost_segment_detach - unmap s and close its descriptor
 *
 * Every pointer into it is invalid afterwards; the memory lives on while
 * another process has it.
 *
 * Returns 0, or EINVAL if s is detached.
 */
static inline int ost_segment_detach(ost_segment_t *s)
{
	int saved = errno;
	int err;

	if (!s->base)
		return EINVAL;
	err = ost_segment_errno_(munmap(s->base, s->size) == -1, saved);
	ost_segment_close_(s->fd);
	s->base = 0;
	s->fd = -1;
	return err;
}

/* Checks the header that a peer has written: each word is read once. */
static inline int ost_segment_check_(const ost_segment_t *s, uint32_t version)
{
	const ost_segment_head_ *h =
		(const ost_segment_head_ *)(const void *)s->base;
	uint32_t magic = __atomic_load_n(&h->magic, __ATOMIC_SEQ_CST);
	ost_segment_head_ is;

	if (!magic)
		return EBUSY;
	memcpy(&is, h, sizeof(is));
	if (magic != ost_segment_magic_() || is.order != OST_SEGMENT_ORDER_ ||
	    is.layout != OST_SEGMENT_LAYOUT || is.words != sizeof(void *) ||
	    is.version != version || is.size != s->size)
		return EPROTO;
	return 0;
}

/* Maps the segment in the file fd, which it takes if it returns 0. */
static inline int ost_segment_join_(ost_segment_t *s, int fd, uint32_t version)
{
	struct stat st;
	int saved = errno;
	int err = ost_segment_errno_(fstat(fd, &st) == -1, saved);

	if (err)
		return err;
	if (!st.st_size)
		return EBUSY;
	if (st.st_size < OST_SEGMENT_HEADER ||
	    (uint64_t)st.st_size > (uint64_t)PTRDIFF_MAX)
		return EPROTO;
	err = ost_segment_map_(s, fd, (size_t)st.st_size);
	if (err)
		return err;
	err = ost_segment_check_(s, version);
	if (err) {
		saved = errno;
		munmap(s->base, s->size);
		errno = saved;
		s->base = 0;
		s->fd = -1;
	}
	return err;
}

#ifdef __linux__

/*
 * ost_segment_memfd - make a segment without a file, sealed
 *
 * name is for /proc alone. size is the bytes for the users, version theirs: all
 * that attach state the same. The memory is zero. The descriptor is closed by
 * exec, unless ost_segment_pass was called.
 *
 * Returns 0; ENOSYS before Linux 3.17; EINVAL if size is too large; or what
 * memfd_create, posix_fallocate, mmap or fcntl failed with.
 */
static inline int ost_segment_memfd(ost_segment_t *s, const char *name,
				    size_t size, uint32_t version)
{
	int saved = errno;
	int fd = (int)syscall(SYS_memfd_create, name,
			      OST_MFD_CLOEXEC_ | OST_MFD_SEALING_);
	int err = ost_segment_errno_(fd == -1, saved);

	if (!err)
		err = ost_segment_make_(s, fd, size);
	if (err)
		return err;
	saved = errno;
	err = ost_segment_errno_(fcntl(fd, OST_ADD_SEALS_, OST_SEAL_SHRINK_ |
				       OST_SEAL_GROW_ | OST_SEAL_SEAL_) == -1,
				 saved);
	if (err) {
		ost_segment_detach(s);
		return err;
	}
	s->sealed = 1;
	ost_segment_ready_(s, version);
	return 0;
}

#else

static inline int ost_segment_memfd(ost_segment_t *s, const char *name,
				    size_t size, uint32_t version)
{
	(void)s, (void)name, (void)size, (void)version;
	return ENOTSUP;
}

#endif

/*
 * ost_segment_create - make a segment in a new file, with permissions mode
 *
 * On a file system in memory (/dev/shm), unless it should outlive the machine's
 * run. unlink(2) removes the name.
 *
 * Returns 0, EEXIST if the file exists, EINVAL if size is too large, or what
 * open, posix_fallocate or mmap failed with; the file is then removed.
 */
static inline int ost_segment_create(ost_segment_t *s, const char *path,
				     unsigned mode, size_t size,
				     uint32_t version)
{
	int saved = errno;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		      (mode_t)mode);
	int err = ost_segment_errno_(fd == -1, saved);

	if (err)
		return err;
	err = ost_segment_make_(s, fd, size);
	if (err) {
		unlink(path);
		errno = saved;
		return err;
	}
	ost_segment_ready_(s, version);
	return 0;
}

/*
 * ost_segment_open - map the segment in a file
 *
 * Returns 0; EBUSY if its maker has not finished; EPROTO if it is no segment,
 * or one of another layout, byte order, word size, size or version; or what
 * open, fstat or mmap failed with.
 */
static inline int ost_segment_open(ost_segment_t *s, const char *path,
				   uint32_t version)
{
	int saved = errno;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int err = ost_segment_errno_(fd == -1, saved);

	if (err)
		return err;
	err = ost_segment_join_(s, fd, version);
	if (err)
		ost_segment_close_(fd);
	return err;
}

/*
 * ost_segment_shm_create - as ost_segment_create, with a name of shm_open(3)
 *
 * shm_unlink(3) removes the name. glibc before 2.34 needs -lrt.
 */
static inline int ost_segment_shm_create(ost_segment_t *s, const char *name,
					 unsigned mode, size_t size,
					 uint32_t version)
{
	int saved = errno;
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, (mode_t)mode);
	int err = ost_segment_errno_(fd == -1, saved);

	if (err)
		return err;
	err = ost_segment_make_(s, fd, size);
	if (err) {
		shm_unlink(name);
		errno = saved;
		return err;
	}
	ost_segment_ready_(s, version);
	return 0;
}

/*
 * ost_segment_shm_open - as ost_segment_open, with a name of shm_open(3)
 */
static inline int ost_segment_shm_open(ost_segment_t *s, const char *name,
				       uint32_t version)
{
	int saved = errno;
	int fd = shm_open(name, O_RDWR, 0);
	int err = ost_segment_errno_(fd == -1, saved);

	if (err)
		return err;
	err = ost_segment_join_(s, fd, version);
	if (err)
		ost_segment_close_(fd);
	return err;
}

/*
 * ost_segment_attach - map the segment of a descriptor that a peer has passed
 *
 * It takes fd if it returns 0: ost_segment_detach closes it.
 *
 * Returns 0; EPERM if the file is not sealed against shrinking, by which the
 * peer could kill this process; otherwise as ost_segment_open.
 */
static inline int ost_segment_attach(ost_segment_t *s, int fd, uint32_t version)
{
	int err;

	if (!ost_segment_is_sealed_(fd))
		return EPERM;
	err = ost_segment_join_(s, fd, version);
	if (!err)
		s->sealed = 1;
	return err;
}

/*
 * ost_segment_pass - have a child inherit the descriptor, which is in *fd
 *
 * It stays open across exec, under the same number, in every child from then
 * on. To hand it to one alone, send it by SCM_RIGHTS.
 *
 * Returns 0, or EINVAL if s is detached.
 */
static inline int ost_segment_pass(const ost_segment_t *s, int *fd)
{
	int saved = errno;
	int err;

	if (!s->base)
		return EINVAL;
	err = ost_segment_errno_(fcntl(s->fd, F_SETFD, 0) == -1, saved);
	if (!err)
		*fd = s->fd;
	return err;
}

#endif

#ifdef __cplusplus
}
#endif

#endif
