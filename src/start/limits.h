/*
 * Descriptors: how many a serving process may need, and how its pools share a limit.
 */
#ifndef ZCSERVE_START_LIMITS_H
#define ZCSERVE_START_LIMITS_H

#include "zcserve/service.h"

/* What a process has open when it starts, if that cannot be counted: standard streams, error log. */
#define DESCRIPTORS_AT_FIRST 4

/*
 * Returns how many such a process opens at most, whatever peers do, with the `open_at_first` of
 * now.
 */
uint64_t descriptors_needed(const struct service *service, uint64_t open_at_first);

/*
 * Sets how many files may be lent open, and shrinks the pools until at most `descriptors` are
 * needed; each pool keeps a smallest part. Returns true when fewer workers, connections or files
 * kept open are left than the configuration asked for.
 */
bool descriptors_share(struct service *service, uint64_t open_at_first, uint64_t descriptors);

/* Raises the limit to what the system allows, and shares it. Logs a warning when it is too low. */
void descriptors_raise(struct service *service);

#endif
