/*
 * What the processes of a server know of each other's workers: which worker accepts the connections
 * of one that is not running.
 */
#ifndef ZCSERVE_SERVICE_ROSTER_H
#define ZCSERVE_SERVICE_ROSTER_H

#include "zcserve/service.h"
#include "zcserve/supervise.h"

/*
 * Makes the table for service.roster, in which no worker stands in for another and none is busy.
 * Returns NULL with errno set when there is no memory.
 */
struct roster *roster_open(uint32_t workers);
void roster_close(struct roster *roster, uint32_t workers);

/*
 * Chooses a running worker for each `absent` one, in turn; none when no worker is running. It is
 * called from supervise_options.absence; afterwards the supervisor sends URG to the workers
 * (supervise.h).
 */
void roster_choose(const struct service *service, const struct supervised *processes,
                   uint32_t count);

#endif
