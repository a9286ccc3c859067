/*
 * Descriptors: how many a process that serves may need, and how a limit is shared out.
 */
#ifndef ZCSERVE_START_LIMITS_H
#define ZCSERVE_START_LIMITS_H

#include "zcserve/service.h"

/* How many such a process has open at most, whatever peers do; `open_at_first` of them are open now. */
uint64_t descriptors_needed(const struct service *service, uint64_t open_at_first);

/*
 * Sets how many files may be lent open, and makes the pools so small that no more than `descriptors` are
 * needed; each keeps a least part. True when fewer workers, connections or files kept open are left than
 * were asked for.
 */
bool descriptors_share(struct service *service, uint64_t open_at_first, uint64_t descriptors);

/* Takes as many descriptors as the system allows and shares them out; says when these are too few. */
void descriptors_raise(struct service *service);

#endif
