/*
 * The program while it serves: what was asked for, what was made of it, and what runs. Made by main(),
 * filled in by this room, and shared with every process as it was when that was started.
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
    const char *reason; /* which configuration that is, and why     */
    const char *origin; /* its file where there is one, for messages */
    const struct model *model;
    struct service service;
    struct adjusting adjusting;
    struct access_recorder recorder;
    struct status_listener status;
    struct status_shared *shared; /* the processes, and what the status process is told of them */
    struct status_subject subject;
    struct media_types *types;
};

/* Is anything to be shown? */
static inline bool has_status(const struct program *p)
{
    const char *address = p->config->status;
    return *address && strcmp(address, "off") != 0;
}

/* Prints what is wrong with an option, `member` of the configuration, with the place where it was set. */
void config_problem(const struct program *p, const char *option, const void *member,
                    const char *problem);

/* What unix_socket { … } asks for; false after the problem was printed. */
bool unix_access_read(const struct program *p, struct listen_access *access);

/* Makes the service that the configuration describes; false after the problem was printed. */
bool service_make(struct program *p);

/* Frees what service_make() made. */
void program_close(struct program *p);

/* "auto" is the best model that works here, and says why a better one does not; false after the reason was logged. */
bool model_choose(struct program *p);

/* Opens all, runs the processes under the supervisor until they have ended, and gives the exit code. */
int server_run(struct program *p);

#endif
