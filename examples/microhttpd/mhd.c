//go:build cgo && linux && microhttpd

#include "mhd.h"
#include "_cgo_export.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/*
 * Runs on the library's threads, twice for each request: first with the
 * headers, when it is too early to answer, then with all of it.
 */
static enum MHD_Result on_request(void *handler, struct MHD_Connection *c,
				  const char *path, const char *method,
				  const char *version, const char *data,
				  size_t *data_size, void **state)
{
	static char headers_seen;
	struct MHD_Response *r;
	struct microhttpdAnswer_return a;
	enum MHD_Result queued;

	(void)version;
	(void)data;
	if (strcmp(method, MHD_HTTP_METHOD_GET))
		return MHD_NO;
	if (!*state) {
		*state = &headers_seen;
		return MHD_YES;
	}
	if (*data_size) {
		*data_size = 0; /* a body that nobody has asked for */
		return MHD_YES;
	}
	a = microhttpdAnswer((uintptr_t)handler, (char *)path);
	r = MHD_create_response_from_buffer(a.r2, a.r1, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(a.r1);
		return MHD_NO;
	}
	queued = MHD_queue_response(c, a.r0, r);
	MHD_destroy_response(r);
	return queued;
}

/*
 * mhd_start - serve on a free port of the loopback interface
 *
 * Returns NULL with errno set by what failed. threads: 0 for one for each
 * connection, else the size of a pool.
 */
struct MHD_Daemon *mhd_start(unsigned int threads, uintptr_t handler)
{
	unsigned int flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
	enum MHD_OPTION pool = MHD_OPTION_THREAD_POOL_SIZE;
	struct sockaddr_in addr;

	memset(&addr, 0, sizeof(addr));
	addr.sin_family = AF_INET;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!threads) {
		flags |= MHD_USE_THREAD_PER_CONNECTION;
		pool = MHD_OPTION_END;
	}
	return MHD_start_daemon(flags, 0, NULL, NULL,
				on_request, (void *)handler,
				MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&addr,
				pool, threads,
				MHD_OPTION_END);
}

/* mhd_port - the port that d listens on; 0 if the library does not know */
unsigned int mhd_port(struct MHD_Daemon *d)
{
	const union MHD_DaemonInfo *info;

	info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}
