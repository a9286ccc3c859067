/*
 * The ways in which connections are accepted and served. Whoever starts a server knows a model by this struct
 * alone.
 */
#ifndef ZCSERVE_MODEL_H
#define ZCSERVE_MODEL_H

#include "zcserve/config.h"
#include "zcserve/supervise.h"
#include "zcserve/worker.h"

/* What adjust() remembers from one call to the next; zeroed at first. */
struct adjusting {
    uint32_t growth; /* processes started the last time, when too few were idle  */
    uint32_t excess; /* calls in a row that found too many idle                  */
    bool full;       /* the operator was told that there cannot be more          */
};

struct model {
    const char *name;
    const char *worker, *workers; /* what one is called, and several: "thread", "threads" */

    /* Sets workers, processes, connections and listeners as this model has them. */
    void (*shape)(struct service *service, const struct config *config);

    /* Returns NULL when it can serve here, or why not and the remedy. NULL in its place: it always can. */
    const char *(*problem)(const struct service *service);

    /* Takes back options that do not work here, with a line in the log for each. NULL: it has none. */
    void (*prepare)(struct service *service);

    /*
     * In the supervisor, now and then: says which processes are wanted (struct supervised), and returns after
     * how many ns to ask again. NULL: all are, always.
     */
    uint64_t (*adjust)(const struct service *service, struct adjusting *adjusting,
                       struct supervised *processes, uint32_t count);

    /*
     * One serving process, in three steps: open() makes all that is needed and serves nobody yet; it returns NULL
     * after the reason was logged. run() serves until a stop was asked for and the connections have ended, and
     * returns the exit code. close() gives all back.
     */
    void *(*open)(const struct service *service, uint32_t index);
    int (*run)(void *serving);
    void (*close)(void *serving);
};

/* The model of a configuration; "auto" is io_uring. */
const struct model *model_find(enum config_model model);

/* All three steps. Returns the exit code. */
int model_serve(const struct model *model, const struct service *service, uint32_t index);

#endif
