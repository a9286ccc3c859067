/*
 * Who accepts the connections of a worker that is not running.
 */
#ifndef ZCSERVE_WORKER_STAND_IN_H
#define ZCSERVE_WORKER_STAND_IN_H

#include "zcserve/service.h"
#include "zcserve/supervise.h"

/* The table for service.stand_in, in memory that all processes share: nobody stands in. NULL with errno. */
struct stand_in *stand_ins_open(uint32_t workers);
void stand_ins_close(struct stand_in *stand_in, uint32_t workers);

/*
 * Chooses a running worker for each that is `absent`, in turn; none when no worker is running. For
 * supervise_options.absence: the supervisor then tells the workers to look (supervise.h).
 */
void stand_ins_choose(const struct service *service, const struct supervised *processes,
                      uint32_t count);

#endif
