/*
 * What the supervisor's events mean to the server (struct supervise_options): it has begun, a stop
 * was asked for, processes ended or hang.
 */
#include "service/roster.h"
#include "start/inherited.h"
#include "start/program.h"

#include "zcserve/log.h"
#include "zcserve/sink.h"

#include <stdio.h>

#define NEVER_NS (UINT64_MAX / 2) /* a reload asks again */

void times_set(struct server *server)
{
    const struct config *config = server->now->config;
    server->options.drain_ns = server->now->service.drain_ns;
    server->options.drain_delay_ns = config->timeouts_drain_delay;
    server->options.hang_ns = config->timeouts_hang;
}

/* The first workers serve: whoever waits for that learns it, in this order. */
bool server_begun(const void *of)
{
    struct server *server = server_of(of);
    if (!workers_serve(server->now)) return false;
    server->shared->begun = true;
    status_begin(server);
    if (server->inherited && server->inherited->report) {
        fputc(INHERITED_SERVES, server->inherited->report);
        fflush(server->inherited->report);
    } else {
        notify_send(&server->notify, "READY=1\nSTATUS=serving");
    }
    server->now->errors = stderr; /* it may be the report, which is closed now */
    inherited_warn(server->inherited, server->now);
    inherited_close(server->inherited, server->now);
    server->inherited = NULL;
    return true;
}

void stop_announce(const void *of)
{
    struct server *server = server_of(of);
    server->shared->draining = true;
    notify_send(&server->notify, "STOPPING=1\nSTATUS=finishing the requests under way");
}

void draining_begins(const void *of)
{
    struct server *server = server_of(of);
    server->shared->draining = true;
    service_listeners_leave(&server->now->service);
    if (server->next) service_listeners_leave(&server->next->service);
}

/*
 * The status process and the recorder get no more input, and end. The files of Unix sockets stay
 * for a successor; and for a predecessor, when this program was told to stop before it served.
 */
void workers_ended(const void *of)
{
    struct server *server = server_of(of);
    const struct program *after = server->succeeded ? server->now : NULL;
    if (server->inherited) after = inherited_before(server->inherited);
    program_close(server->now, after);
    if (server->next) program_close(server->next, after);
}

/* The recorder of a generation that drains goes on with its file until it ends. */
static void access_log_reopen(struct program *p)
{
    if (!p || !p->service.recorder) return;
    int error = access_recorder_reopen(&p->recorder);
    if (error < 0)
        log_error("cannot reopen %s: %s; going on with the old file", p->recorder.path,
                  sink_problem(-error));
}

void logs_reopen(const void *of)
{
    access_log_reopen(server_of(of)->now);
    access_log_reopen(server_of(of)->next);
}

uint64_t worker_awake_since(const void *of, const struct supervised *process)
{
    (void)of;
    const struct program *p = process->of;
    if (p->service.workers != p->service.processes) return 0;
    return stats_read(&p->service.board[process->index].awake_ns);
}

void worker_hung(const void *of, const struct supervised *process)
{
    (void)of;
    const struct program *p = process->of;
    stats_add(&p->service.board[process->index].hangs, 1); /* no worker writes this one */
}

uint64_t processes_adjust(const void *of, struct supervised *processes, uint32_t count)
{
    struct program *p = server_of(of)->now;
    if (!p->model->adjust) return NEVER_NS;
    return p->model->adjust(&p->service, &p->adjusting, processes, count);
}

static void worker_is_gone(const struct service *service, uint32_t worker)
{
    stats_begin_anew(&service->board[worker]);
    if (service->quotas) quotas_worker_ended(service->quotas, worker);
}

/* Resets the gauges of processes that ended: their connections ended with them. */
void absence_changed(const void *of, const struct supervised *processes, uint32_t count)
{
    const struct program *p = server_of(of)->now;
    bool each = p->service.workers == p->service.processes;
    for (uint32_t i = 0; i < count && each; i++)
        if (!processes[i].last && processes[i].pid == 0)
            worker_is_gone(&p->service, processes[i].index);
    roster_choose(&p->service, processes, count);
}
