/*
 * What the processes of a server know of each other's workers, and who accepts the connections of one that is
 * not running.
 */
#ifndef ZCSERVE_SERVICE_ROSTER_H
#define ZCSERVE_SERVICE_ROSTER_H

#include "zcserve/service.h"
#include "zcserve/supervise.h"

/* The table for service.roster: nobody stands in, nobody is busy. NULL with errno set. */
struct roster *roster_open(uint32_t workers);
void roster_close(struct roster *roster, uint32_t workers);

/*
 * Chooses a running worker for each that is `absent`, in turn; none when no worker is running. For
 * supervise_options.absence: the supervisor then tells the workers to look (supervise.h).
 */
void roster_choose(const struct service *service, const struct supervised *processes,
                   uint32_t count);

#endif
