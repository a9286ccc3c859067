/*
 * The processes of a server: which processes there are, what each closes before it begins, and in
 * which order everything is closed at the end.
 */
#include "start/limits.h"
#include "start/program.h"
#include "service/roster.h"
#include "zcserve/log.h"
#include "zcserve/now.h"
#include "zcserve/supervise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int worker_run(const void *of, uint32_t index)
{
    struct program *p = (struct program *)(uintptr_t)of;
    status_listener_leave(&p->status);
    return model_serve(p->model, &p->service, index);
}

/* Closes this copy of the recorder's sender, because the recorder ends when no sender is left. */
static int status_run(const void *of, uint32_t index)
{
    struct program *p = (struct program *)(uintptr_t)of;
    (void)index;
    service_listeners_leave(&p->service);
    if (p->service.recorder) access_recorder_close(&p->recorder);
    return status_listener_run(&p->status, &p->subject);
}

static int recorder_run(const void *of, uint32_t index)
{
    struct program *p = (struct program *)(uintptr_t)of;
    (void)index;
    status_listener_leave(&p->status);
    service_listeners_leave(&p->service);
    return access_recorder_run(&p->recorder);
}

static void draining_begins(const void *of)
{
    const struct program *p = of;
    p->shared->draining = true;
    service_listeners_leave(&p->service);
}

static void workers_ended(const void *of)
{
    struct program *p = (struct program *)(uintptr_t)of;
    status_listener_close(&p->status);
    if (p->service.recorder) access_recorder_close(&p->recorder);
}

static uint64_t processes_adjust(const void *of, struct supervised *processes, uint32_t count)
{
    struct program *p = (struct program *)(uintptr_t)of;
    return p->model->adjust(&p->service, &p->adjusting, processes, count);
}

/* Resets the gauges of processes that ended: their connections ended with them. */
static void absence_changed(const void *of, const struct supervised *processes, uint32_t count)
{
    const struct program *p = of;
    bool each = p->service.workers == p->service.processes;
    for (uint32_t i = 0; i < count && each; i++)
        if (!processes[i].last && processes[i].pid == 0)
            stats_begin_anew(&p->service.board[processes[i].index]);
    roster_choose(&p->service, processes, count);
}

static void addresses_format(const struct service *service, char *text, size_t size)
{
    text[0] = '\0';
    for (uint32_t i = 0; i < service->addresses; i++) {
        char address[LISTEN_ADDRESS_TEXT_MAX];
        size_t used = strlen(text);
        bool local = service->address[i].address.ss_family == AF_UNIX;
        listen_address_format(&service->address[i], address, sizeof(address));
        snprintf(text + used, size - used, "%s%s%s%s", i ? ", " : "", local ? "" : "http://",
                 address, local ? "" : "/");
    }
}

static void start_tell(const struct program *p)
{
    char addresses[SERVICE_ADDRESSES_MAX * (LISTEN_ADDRESS_TEXT_MAX + 16)];
    const struct service *service = &p->service;
    addresses_format(service, addresses, sizeof(addresses));
    const char *worker = p->model->worker;
    log_notice("serving %s at %s (model %s, %u %s, cache %llu KiB = %llu KiB a %s, "
               "%u connection%s a %s; %s)",
               p->config->root, addresses, p->model->name, service->workers,
               service->workers == 1 ? worker : p->model->workers,
               (unsigned long long)p->config->cache_size / 1024,
               (unsigned long long)service->store.memory_bytes_max / 1024, worker,
               service->connections_max, service->connections_max == 1 ? "" : "s", worker,
               p->reason);
    if (has_status(p)) {
        listen_address_format(&p->status.address, addresses, sizeof(addresses));
        bool local = p->status.address.address.ss_family == AF_UNIX;
        log_notice(local ? "status at %s" : "status at http://%s/", addresses);
    }
}

static void lesson_warn(const struct program *p)
{
    if (p->service.waits_for_disk)
        log_warn("lesson.disk_guard is off: an event loop waits for the disk, and serves nobody "
                 "meanwhile; this is for a lesson, and for nothing else");
}

/* Warns, because the server cannot switch to another user yet. */
static void root_warn(void)
{
    if (geteuid() != 0) return;
    log_warn("serving as root, so a fault in the server could do anything; start it as another "
             "user (systemd: User=, and AmbientCapabilities=CAP_NET_BIND_SERVICE for ports below "
             "1024)");
}

/* Returns whether to pin processes: not those of several threads, which need several CPUs. */
static bool is_pinned(const struct program *p)
{
    return p->config->pin_cpus && p->service.workers == p->service.processes;
}

static void processes_make(struct program *p)
{
    const struct service *service = &p->service;
    struct supervised *processes = p->shared->process;
    uint32_t count = 0;
    if (service->recorder)
        processes[count++] = (struct supervised){
            .name = "recorder", .run = recorder_run, .of = p, .last = true, .cpu = -1};
    if (has_status(p))
        processes[count++] = (struct supervised){
            .name = "status", .run = status_run, .of = p, .last = true, .cpu = -1};
    for (uint32_t i = 0; i < service->processes; i++)
        processes[count++] = (struct supervised){.name = "worker",
                                                 .run = worker_run,
                                                 .of = p,
                                                 .index = i,
                                                 .cpu = is_pinned(p) ? cpu_nth_usable(i) : -1,
                                                 .unwanted = i >= service->processes_first};
}

static void subject_make(struct program *p)
{
    struct timespec wall = {0};
    clock_gettime(CLOCK_REALTIME, &wall);
    p->subject = (struct status_subject){
        .service = &p->service,
        .shared = p->shared,
        .version = p->version,
        .model = p->model->name,
        .root = p->config->root,
        .hosts =
            p->status.address.address.ss_family == AF_UNIX ? NULL : p->config->status_hosts.item,
        .supervisor = getpid(),
        .started_seconds = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9,
        .started_ns = now_monotonic_ns(),
    };
}

static int processes_run(struct program *p)
{
    const struct service *service = &p->service;
    uint32_t others = (service->recorder ? 1U : 0U) + (has_status(p) ? 1U : 0U);
    if (!(p->shared = status_shared_open(service->processes + others))) {
        log_error("not enough memory for %u workers", service->workers);
        return EXIT_FAILURE;
    }
    processes_make(p);
    subject_make(p);
    struct supervise_options options = {.drain_ns = service->drain_ns,
                                        .release = draining_begins,
                                        .finish = workers_ended,
                                        .adjust = p->model->adjust ? processes_adjust : NULL,
                                        .absence = absence_changed,
                                        .of = p};
    int code = supervise(p->shared->process, p->shared->count, &options);
    status_shared_close(p->shared);
    return code;
}

static bool recorder_open(struct program *p)
{
    const char *file = p->config->access_log;
    if (strcmp(file, "off") == 0 || *file == '\0') return true;
    int error = access_recorder_open(&p->recorder, file);
    if (error == 0)
        p->service.recorder = &p->recorder;
    else
        log_error("cannot open the access log %s: %s", file, sink_problem(-error));
    return error == 0;
}

int server_run(struct program *p)
{
    char problem[512];
    supervise_prepare();
    descriptors_raise(&p->service);
    int code = EXIT_FAILURE;
    if (service_open(&p->service, problem, sizeof(problem)) != 0 ||
        (has_status(p) && status_listener_open(&p->status, problem, sizeof(problem)) != 0)) {
        log_error("%s", problem);
    } else if (recorder_open(p)) {
        root_warn();
        lesson_warn(p);
        start_tell(p);
        code = processes_run(p);
    }
    status_listener_close(&p->status);
    service_close(&p->service);
    log_flush();
    return code;
}
