/*
 * The models: the ways in which connections are accepted and served. The code that starts a server
 * knows a model only by this struct.
 */
#ifndef ZCSERVE_MODEL_H
#define ZCSERVE_MODEL_H

#include "zcserve/config.h"
#include "zcserve/supervise.h"
#include "zcserve/worker.h"

/* What adjust() remembers from one call to the next; zeroed at first. */
struct adjusting {
    uint32_t growth; /* processes started by the last call, when too few were idle */
    uint32_t excess; /* calls in a row that found too many idle processes          */
    bool full;       /* it was logged that the maximum of processes is reached     */
};

struct model {
    const char *name;
    enum confine_role role;       /* which system calls it may make */
    const char *worker, *workers; /* the words for one and for several: "thread", "threads" */

    size_t connection_bytes; /* memory for one connection, without its work area        */
    size_t worker_bytes;     /* memory of a worker for all its connections: stack, ring */

    /* Sets the workers, processes, connections and listeners of this model. */
    void (*shape)(struct service *service, const struct config *config);

    /*
     * Returns NULL when the model works here, else why not, with the remedy. NULL pointer: it
     * always works.
     */
    const char *(*problem)(const struct service *service);

    /*
     * Switches off options that do not work here, and logs a line for each. NULL: no such options.
     */
    void (*prepare)(struct service *service);

    /*
     * Called in the supervisor from time to time: sets which processes are `unwanted` (struct
     * supervised), and returns in how many ns to call it again. NULL: all processes are always
     * wanted.
     */
    uint64_t (*adjust)(const struct service *service, struct adjusting *adjusting,
                       struct supervised *processes, uint32_t count);

    /*
     * One serving process, in three steps. open() makes everything that is needed, and serves
     * nothing yet; it returns NULL after it logged the reason. run() serves until a stop is asked
     * for and the connections have ended, and returns the exit code. close() frees everything.
     */
    void *(*open)(const struct service *service, uint32_t index);
    int (*run)(void *serving);
    void (*close)(void *serving);
};

/* Returns the model of a configuration; for "auto", io_uring. */
const struct model *model_find(enum config_model model);

/*
 * Runs one serving process: open(), run() and close(). Between the first two it gives up the system
 * calls that it does not need any more. Returns the exit code.
 */
int model_serve(const struct model *model, const struct service *service, uint32_t index);

#endif
