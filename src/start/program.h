/*
 * The program while it serves: its configuration, what was made from it, and its processes. main()
 * makes this struct and this room fills it. Each process has a copy from the time when it was
 * started.
 */
#ifndef ZCSERVE_START_PROGRAM_H
#define ZCSERVE_START_PROGRAM_H

#include "zcserve/config.h"
#include "zcserve/model.h"
#include "zcserve/status_listener.h"

#include <string.h>

struct program {
    const struct config *config;
    const char *version;
    const char *reason; /* which configuration this is, and why */
    const char *origin; /* what messages call the configuration */
    const struct model *model;
    struct service service;
    struct adjusting adjusting;
    struct access_recorder recorder;
    struct status_listener status;
    struct status_shared *shared; /* the processes, in memory that the status process reads */
    struct status_subject subject;
    struct media_types *types;
};

/* Returns whether there is a status listener. */
static inline bool has_status(const struct program *p)
{
    const char *address = p->config->status;
    return *address && strcmp(address, "off") != 0;
}

/*
 * Prints the problem of an option, with the place where this `member` of the configuration was set.
 */
void config_problem(const struct program *p, const char *option, const void *member,
                    const char *problem);

/* Reads the block unix_socket { … }. Returns false after it printed the problem. */
bool unix_access_read(const struct program *p, struct listen_access *access);

/*
 * Makes the service that the configuration describes. Returns false after it printed the problem.
 */
bool service_make(struct program *p);

/* Frees what service_make() made. */
void program_close(struct program *p);

/*
 * Chooses the model; for "auto" io_uring, or epoll after it logged why io_uring does not work.
 * Returns false after it logged why the model that was asked for does not work.
 */
bool model_choose(struct program *p);

/* Opens everything, and runs the processes under the supervisor. Returns the exit code. */
int server_run(struct program *p);

#endif
