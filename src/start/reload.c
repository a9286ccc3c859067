/*
 * Reload: makes the next generation in the supervisor, as at the start. Whatever is wrong with it,
 * the present one goes on as if nothing had been asked.
 */
#include "base/gathered.h"
#include "start/limits.h"
#include "start/program.h"
#include "zcserve/log.h"
#include "zcserve/sink.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_BYTES_MAX (1024 * 1024)

/* The reload is over. Whoever asked for it finds the problem in the status; "": it succeeded. */
static void reload_tell(struct server *server, const char *problem)
{
    struct status_shared *shared = server->shared;
    snprintf(shared->problem, sizeof(shared->problem), "%s", problem);
    if (*problem) shared->reloads_failed++;
    shared->reloads++; /* last: then the others can be read */
    if (*problem) log_error("reload failed, nothing has changed: %s", problem);
    notify_send(&server->notify, "READY=1\nSTATUS=%s%s", *problem ? "reload failed: " : "serving",
                problem);
}

/* ---- making ----------------------------------------------------------------------------------- */

/* Logs the problems of a configuration, a line each. The first one is copied to `problem`. */
static void problems_take(char *lines, char *problem, size_t size)
{
    char *rest = lines, *line;
    *problem = '\0';
    while (rest && (line = strsep(&rest, "\n")) != NULL) {
        if (*line == '\0') continue;
        if (*problem == '\0')
            snprintf(problem, size, "%s", line);
        else
            log_error("%s", line);
    }
}

static bool is_too_large(const struct server *server, const struct program *p, char *problem,
                         size_t size)
{
    uint32_t workers = p->service.workers;
    if (workers > server->room)
        snprintf(problem, size, "%u workers are more than the %u for which there is room: restart",
                 workers, server->room);
    return workers > server->room;
}

static int log_open_for(const struct program *p)
{
    return log_open(p->config->error_log, (enum log_level)p->config->log_level);
}

/* What was opened is closed by whoever called. */
static bool next_open(struct server *server, struct program *p, char *problem, size_t size)
{
    if (is_too_large(server, p, problem, size) || !model_choose(p, problem, size)) return false;
    descriptors_raise(&p->service);
    if (!program_open(p, server->now, problem, size)) return false;
    int error = log_open_for(p);
    if (error != 0)
        snprintf(problem, size, "cannot open the error log %s: %s", p->config->error_log,
                 sink_problem(-error));
    return error == 0;
}

/* Reads the configuration. Returns NULL with the first problem, after it logged the others. */
static struct program *next_read(struct server *server, char *problem, size_t size)
{
    struct gathered lines = {0};
    FILE *errors = gathered_open(&lines, PROBLEMS_BYTES_MAX);
    struct program *p = errors ? program_new(server->line, errors) : NULL;
    bool right = p && service_make(p);
    bool told = errors && gathered_close(&lines, errors);
    if (!right && told) problems_take(lines.text, problem, size);
    if (!right && *problem == '\0') snprintf(problem, size, "not enough memory");
    free(lines.text);
    if (!right && p) program_free(p);
    if (right) p->errors = stderr;
    return right ? p : NULL;
}

void reload_asked(const void *of)
{
    notify_reloading(&server_of(of)->notify, now_monotonic_ns());
}

bool reload_begin(const void *of)
{
    struct server *server = server_of(of);
    char problem[STATUS_PROBLEM_MAX] = "";
    log_notice("reload: %s", server->now->origin);
    struct program *p = next_read(server, problem, sizeof(problem));
    bool opened = p && next_open(server, p, problem, sizeof(problem));
    if (opened) {
        processes_make(server, p);
        server->next = p;
        return true;
    }
    if (p) {
        program_close(p, server->now);
        program_free(p);
    }
    reload_tell(server, problem);
    return false;
}

/* ---- replacing -------------------------------------------------------------------------------- */

bool workers_serve(const struct program *p)
{
    const struct service *service = &p->service;
    for (uint32_t i = 0; i < service->processes_first; i++)
        if (!atomic_load_explicit(&service->roster[i].serves, memory_order_acquire)) return false;
    return true;
}

bool reload_serves(const void *of)
{
    return workers_serve(server_of(of)->next);
}

/* Tells the workers, before they drain, that others accept what waits for them. */
static void succeeded_tell(const struct service *service)
{
    for (uint32_t i = 0; i < service->workers; i++)
        atomic_store_explicit(&service->roster[i].succeeded, true, memory_order_relaxed);
}

void reload_replaced(const void *of)
{
    struct server *server = server_of(of);
    struct program *before = server->now;
    succeeded_tell(&before->service);
    server->now = server->next;
    server->next = NULL;
    times_set(server);
    program_close(before, server->now);
    program_free(before);
    server->shared->generation++;
    start_tell(server->now);
    reload_tell(server, "");
}

void reload_failed(const void *of)
{
    struct server *server = server_of(of);
    struct program *next = server->next;
    server->next = NULL;
    log_open_for(server->now); /* when it fails, the lines go to the other file */
    program_close(next, server->now);
    program_free(next);
    reload_tell(server,
                "a worker of the new configuration could not begin; the error log says why");
}
