/*
 * "Who, and when?" The ways in which connections are accepted and served.
 */
#ifndef ZCSERVE_MODEL_H
#define ZCSERVE_MODEL_H

#include "zcserve/config.h"
#include "zcserve/supervise.h"
#include "zcserve/worker.h"

struct model {
    const char *name;
    const char *worker, *workers; /* what one is, and several: "thread", "threads" */
    int (*run)(const void *of, uint32_t index);
    /* Sets workers, processes, connections and listeners as this model has them. */
    void (*shape)(struct service *service, const struct config *config);
};

/* "auto" is io_uring, as long as nobody found a problem with it. */
const struct model *model_find(enum config_model model);

/*
 * The whole life of one serving process, from its first accept until a stop was asked for and its
 * connections have ended. `of` is the struct service. Gives the exit code.
 */
int prefork_run(const void *of, uint32_t index);
int threadpool_run(const void *of, uint32_t index);
int epoll_run(const void *of, uint32_t index);
int uring_run(const void *of, uint32_t index);

/* Whether io_uring works here: NULL, or what the kernel lacks or forbids and what to change. */
const char *uring_problem(void);

/* The same for as many rings as there are workers; to be asked when one works. */
const char *uring_rings_problem(uint32_t count);

/* Takes back those options that do not work here, with a line in the log for each. */
void uring_options_try(struct uring_options *options);

/*
 * What the supervisor of the prefork model does now and then: sees to it that neither too few nor too
 * many processes are idle, as service->pool says. For supervise_options.adjust.
 */
struct prefork_pool {
    const struct service *service;
    uint32_t growth; /* so many were started the last time, being short of idle ones */
    uint32_t excess; /* looks in a row that found more than spare_max idle           */
    bool full;       /* said that there cannot be more                               */
};
uint64_t prefork_adjust(struct prefork_pool *pool, struct supervised *processes, uint32_t count);

#endif
