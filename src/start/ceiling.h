/*
 * How much memory a server needs at most, whatever its clients do.
 */
#ifndef ZCSERVE_START_CEILING_H
#define ZCSERVE_START_CEILING_H

#include "zcserve/model.h"

/*
 * Returns the ceiling in bytes, for all processes of the service together. The kernel's buffers of sockets are
 * not in it (tcp_mem in tcp(7)), nor are pages of files that the kernel keeps in its cache.
 */
uint64_t memory_most(const struct service *service, const struct model *model);

#endif
