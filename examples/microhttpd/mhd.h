#include <microhttpd.h>
#include <stdint.h>

struct MHD_Daemon *mhd_start(unsigned int threads, uintptr_t handler);
unsigned int mhd_port(struct MHD_Daemon *d);
