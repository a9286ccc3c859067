/*
 * The life of a generation: read, opened, closed. What it shares with the generation before it are
 * sockets, which each of them has descriptors of.
 */
#include "start/program.h"
#include "start/sites.h"
#include "zcserve/log.h"
#include "zcserve/media_type.h"
#include "zcserve/sink.h"
#include "zcserve/utf8.h"

#include <errno.h>
#include <stdlib.h>

struct program *program_new(const struct command_line *line, FILE *errors)
{
    struct program *p = calloc(1, sizeof(*p));
    if (!p) {
        fputs("not enough memory for the configuration\n", errors);
        return NULL;
    }
    *p = (struct program){.errors = errors,
                          .reason = line->reason,
                          .origin = line->config_file ? line->config_file : line->reason,
                          .status = {.fd = -1, .alive = {-1, -1}}};
    p->config = config_load(line->config_file, line->overrides, line->override_count, errors);
    if (p->config) return p;
    free(p);
    return NULL;
}

void program_problem(const struct program *p, const char *problem)
{
    log_error("%s", problem);
    if (p->errors == stderr) return;
    utf8_print(p->errors, problem);
    fputc('\n', p->errors);
}

void program_free(struct program *p)
{
    if (p->types) media_types_free(p->types);
    free(p->tree);
    free(p->service.confinement.root);
    free(p->stays_root);
    site_set_free(p->sites);
    config_free(p->config);
    free(p);
}

static bool recorder_open(struct program *p, char *problem, size_t size)
{
    const char *file = p->config->access_log;
    if (strcmp(file, "off") == 0 || *file == '\0') return true;
    int error = access_recorder_open(&p->recorder, file);
    if (error == 0)
        p->service.recorder = &p->recorder;
    else
        snprintf(problem, size, "cannot open the access log %s: %s", file, sink_problem(-error));
    return error == 0;
}

bool program_open(struct program *p, const struct program *before, char *problem, size_t size)
{
    if (service_open(&p->service, before ? &before->service : NULL, problem, size) != 0)
        return false;
    if (has_status(p) &&
        status_listener_open(&p->status, before ? &before->status : NULL, problem, size) != 0)
        return false;
    return recorder_open(p, problem, size);
}

static void recorder_leave(struct program *p)
{
    if (p->service.recorder) access_recorder_close(&p->recorder);
    p->service.recorder = NULL;
}

void program_close(struct program *p, const struct program *after)
{
    status_listener_close(&p->status, after ? &after->status : NULL);
    service_close(&p->service, after ? &after->service : NULL);
    recorder_leave(p);
}

void program_leave(struct program *p)
{
    status_listener_leave(&p->status);
    service_listeners_leave(&p->service);
    recorder_leave(p);
}
