/*
 * A generation of the program: a configuration and what was made from it. The first one is made at
 * the start, and each reload makes another. A process has a copy of its generation from the time
 * when it was started.
 */
#ifndef ZCSERVE_START_PROGRAM_H
#define ZCSERVE_START_PROGRAM_H

#include "zcserve/command_line.h"
#include "zcserve/model.h"
#include "zcserve/notify.h"
#include "zcserve/status_listener.h"

#include <string.h>

struct inherited; /* start/inherited.h */

struct program {
    struct config *config;
    FILE *errors;       /* problems of the configuration are printed to it        */
    const char *reason; /* which configuration this is, and why */
    const char *origin; /* what messages call the configuration */
    const struct model *model;
    struct service service;
    struct adjusting adjusting;
    struct access_recorder recorder; /* open when service.recorder points to it */
    struct status_listener status;
    struct status_subject subject;
    struct media_types *types;
    struct site_set *sites;
    struct tree_options *tree; /* of sites->trees; service.store.tree points to them */
    char *stays_root;          /* why the processes stay root; NULL: they do not */
    const char *no_files;      /* why they are not confined so; NULL: they are, or are not to be */
    const char *no_calls;
    const char *no_capabilities;
    struct server *server;
    uint32_t half; /* which half of the table of processes it uses     */
    uint32_t slot; /* its first slot of the board: service.board is it */
};

/* Returns whether there is a status listener. */
static inline bool has_status(const struct program *p)
{
    const char *address = p->config->status;
    return *address && strcmp(address, "off") != 0;
}

/* Prints a problem in the form of config_load(): "serve.conf:12: root: …". */
void problem_print(FILE *errors, const char *where, const char *option, const char *problem);

/*
 * Prints the problem of an option, with the place where this `member` of the configuration was set.
 */
void config_problem(const struct program *p, const char *option, const void *member,
                    const char *problem);

/*
 * Loads the libraries that compress, before the workers begin and before a sandbox could forbid it.
 * Returns false after it printed which one is missing.
 */
bool encoders_load(const struct program *p);

/* Returns how files are made in these codings on the fly. It points to texts of the configuration. */
struct compress_options compress_options_make(const struct config *config,
                                              const struct config_list *codings);

/*
 * Decides what the processes give up: whom they become, and what of the sandbox this kernel has.
 * Returns false after it printed what is wrong with the options. confinement_tell() logs the result.
 */
bool confinement_make(struct program *p);
void confinement_tell(const struct program *p);

/*
 * Reads sandbox.chroot, after the user and the capabilities are decided. Returns false after it
 * printed the problem. chroot_path() returns the path inside that leads to what is `path` outside, as
 * a part of it; without chroot, and for a root that no site uses, `path` itself.
 */
bool chroot_make(struct program *p);
const char *chroot_path(const struct program *p, const char *path);

/* Makes the trees of the store, for all sites. Returns false after it printed the problem. */
bool trees_make(struct program *p);

/*
 * Opens each root and closes it, to check that it can be served. Returns false after it printed the
 * problem, with the place where the root was set.
 */
bool roots_valid(const struct program *p);

/* Reads the block unix_socket { … }. Returns false after it printed the problem. */
bool unix_access_read(const struct program *p, struct listen_access *access);

/*
 * Reads the configuration that the command line names, and makes the program. Problems are printed
 * to `errors`, which the program keeps. Returns NULL when there is no configuration or no memory.
 */
struct program *program_new(const struct command_line *line, FILE *errors);
void program_free(struct program *p);

/*
 * Makes the service that the configuration describes. Returns false after it printed the problem.
 */
bool service_make(struct program *p);

/*
 * Chooses the model; for "auto" io_uring, or epoll after it logged why io_uring does not work.
 * Returns false when the model that was asked for does not work; then `problem` says why, in one
 * line.
 */
bool model_choose(struct program *p, char *problem, size_t size);

/*
 * Opens what the processes share: listeners, the status listener, the access log. Where `before`
 * (NULL: none) has the same address, its sockets are taken over. Returns false with one line in
 * `problem`. program_close() must follow in any case.
 */
bool program_open(struct program *p, const struct program *before, char *problem, size_t size);

/*
 * For the supervisor: closes that, so that the status process and the recorder end after the
 * workers. The file of a Unix socket on which `after` (NULL: none) listens stays.
 */
void program_close(struct program *p, const struct program *after);

/* For a process of another generation: closes its copies of the descriptors. */
void program_leave(struct program *p);

/* ---- the server ------------------------------------------------------------------------------- */

#define GENERATIONS_MAX 2 /* at a time: one serves, and one begins or ends */

/* What outlives a generation. */
struct server {
    const struct command_line *line;
    const char *version;
    struct program *now, *next;   /* next: it begins; else NULL                             */
    struct status_shared *shared; /* the processes, in memory that the status process reads */
    struct stats_slot *board;     /* the slots of all generations                           */
    uint32_t room; /* the most workers of a generation, so that it has no more processes */
    struct supervise_options options;
    struct inherited *inherited; /* until the first generation serves; then NULL */
    struct notify notify;        /* the service manager                          */
    bool succeeded;              /* a successor serves at the same addresses     */
    double started_seconds;      /* when the server started, wall clock */
    uint64_t started_ns;         /* the same, monotonic                 */
};

/* Returns the server from the argument of a function of struct supervise_options. */
static inline struct server *server_of(const void *of)
{
    return (struct server *)(uintptr_t)of;
}

/* Describes the processes of `p`, which is the first generation or the one after server->now. */
void processes_make(struct server *server, struct program *p);

/* Returns whether each process that is started at first has opened everything. */
bool workers_serve(const struct program *p);

/*
 * Starts the status process; ends it, because that of a successor answers at the address. An end is
 * for ever.
 */
void status_begin(struct server *server);
void status_end(struct server *server);

/* Takes the times of the supervisor from the configuration that serves. */
void times_set(struct server *server);

/* Logs a problem of the start, and tells a predecessor. */
void program_problem(const struct program *p, const char *problem);

/* Logs what is served, and where. */
void start_tell(const struct program *p);

/* For struct supervise_options (supervise.h); `of` is the server. */
bool server_begun(const void *of);
void stop_announce(const void *of);
void draining_begins(const void *of);
void workers_ended(const void *of);
void logs_reopen(const void *of);
uint64_t processes_adjust(const void *of, struct supervised *processes, uint32_t count);
void absence_changed(const void *of, const struct supervised *processes, uint32_t count);
uint64_t worker_awake_since(const void *of, const struct supervised *process);
void worker_hung(const void *of, const struct supervised *process);
void reload_asked(const void *of);
bool reload_begin(const void *of);
bool reload_serves(const void *of);
void reload_replaced(const void *of);
void reload_failed(const void *of);

/*
 * Serves: opens everything, and runs the processes under the supervisor. Frees `p`, or what replaced
 * it. `inherited` is closed by the caller. Returns the exit code.
 */
int server_run(struct program *p, const struct command_line *line, const char *version,
               struct inherited *inherited);

#endif
