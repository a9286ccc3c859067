/*
 * The processes of a server: which processes there are, what each closes before it begins, and in
 * which order everything is closed at the end.
 */
#include "start/limits.h"
#include "start/memory.h"
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

#define NEVER_NS (UINT64_MAX / 2)  /* a reload asks again */
#define ROOM_LEAST 256             /* workers that a reload may always have */
#define ENTRIES(room) ((room) + 2) /* of the table: the recorder and the status, too */
#define SLOTS(room) (3 * (room))   /* two generations, and a gap between them: slot_choose() */

/* A process closes what belongs to other generations: they end when nobody holds it any more. */
static struct program *begin(const void *of)
{
    struct program *p = (struct program *)(uintptr_t)of;
    struct program *const all[] = {p->server->now, p->server->next};
    for (int i = 0; i < GENERATIONS_MAX; i++)
        if (all[i] && all[i] != p) program_leave(all[i]);
    return p;
}

static int worker_run(const void *of, uint32_t index)
{
    struct program *p = begin(of);
    status_listener_leave(&p->status);
    return model_serve(p->model, &p->service, index);
}

/* Closes this copy of the recorder's sender, because the recorder ends when no sender is left. */
static int status_run(const void *of, uint32_t index)
{
    struct program *p = begin(of);
    (void)index;
    service_listeners_leave(&p->service);
    if (p->service.recorder) access_recorder_close(&p->recorder);
    return status_listener_run(&p->status, &p->subject);
}

static int recorder_run(const void *of, uint32_t index)
{
    struct program *p = begin(of);
    (void)index;
    status_listener_leave(&p->status);
    service_listeners_leave(&p->service);
    return access_recorder_run(&p->recorder);
}

static void draining_begins(const void *of)
{
    struct server *server = server_of(of);
    server->shared->draining = true;
    service_listeners_leave(&server->now->service);
    if (server->next) service_listeners_leave(&server->next->service);
}

/* The status process and the recorder get no more input, and end. */
static void workers_ended(const void *of)
{
    struct server *server = server_of(of);
    program_close(server->now, NULL);
    if (server->next) program_close(server->next, NULL);
}

static uint64_t processes_adjust(const void *of, struct supervised *processes, uint32_t count)
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
static void absence_changed(const void *of, const struct supervised *processes, uint32_t count)
{
    const struct program *p = server_of(of)->now;
    bool each = p->service.workers == p->service.processes;
    for (uint32_t i = 0; i < count && each; i++)
        if (!processes[i].last && processes[i].pid == 0)
            worker_is_gone(&p->service, processes[i].index);
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

void start_tell(const struct program *p)
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
    log_notice("memory: at most %llu MiB for programs, cache and connections, without the kernel's "
               "buffers of sockets",
               (unsigned long long)(memory_most(service, p->model) >> 20));
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

/*
 * Returns the first slot of the generation after `now` (NULL: of the first one). Its slots are not
 * those of `now`. A slot that is used again goes on with its counters, so that no total decreases.
 */
static uint32_t slot_choose(const struct program *now, uint32_t workers)
{
    if (!now) return 0;
    return workers <= now->slot ? 0 : now->slot + now->service.workers;
}

static void subject_make(const struct server *server, struct program *p)
{
    p->subject = (struct status_subject){
        .service = &p->service,
        .board = server->board,
        .shared = server->shared,
        .version = server->version,
        .model = p->model->name,
        .root = p->config->root,
        .hosts =
            p->status.address.address.ss_family == AF_UNIX ? NULL : p->config->status_hosts.item,
        .supervisor = getpid(),
        .started_seconds = server->started_seconds,
        .started_ns = server->started_ns,
    };
}

/* The recorder and the status process outlive the workers. */
static struct supervised process_of(struct program *p, const char *name,
                                    int (*run)(const void *of, uint32_t index))
{
    return (struct supervised){
        .name = name,
        .run = run,
        .of = p,
        .last = run != worker_run,
        .cpu = -1,
        .generation = p->server->now ? GENERATION_NEXT : GENERATION_NOW,
    };
}

static struct supervised worker_of(struct program *p, uint32_t index)
{
    struct supervised process = process_of(p, "worker", worker_run);
    process.index = index;
    process.cpu = is_pinned(p) ? cpu_nth_usable(index) : -1;
    process.unwanted = index >= p->service.processes_first;
    return process;
}

void processes_make(struct server *server, struct program *p)
{
    struct service *service = &p->service;
    p->server = server;
    p->half = server->now ? 1 - server->now->half : 0;
    p->slot = slot_choose(server->now, service->workers);
    service->board = server->board + p->slot;
    service->memory_most = memory_most(service, p->model);
    uint32_t beyond = p->slot + service->workers;
    if (server->shared->slots < beyond) server->shared->slots = beyond;
    struct supervised *next = server->shared->process + p->half * ENTRIES(server->room);
    if (service->recorder) *next++ = process_of(p, "recorder", recorder_run);
    if (has_status(p)) *next++ = process_of(p, "status", status_run);
    for (uint32_t i = 0; i < service->processes; i++)
        *next++ = worker_of(p, i);
    subject_make(server, p);
}

/* ---- the server ------------------------------------------------------------------------------- */

/* Opens what outlives the generations, with room for more workers than the first one has. */
static bool server_open(struct server *server, const struct service *service)
{
    struct timespec wall = {0};
    server->room = service->workers > ROOM_LEAST ? service->workers : ROOM_LEAST;
    server->shared = status_shared_open(GENERATIONS_MAX * ENTRIES(server->room));
    server->board = stats_board_open(SLOTS(server->room));
    clock_gettime(CLOCK_REALTIME, &wall);
    server->started_seconds = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9;
    server->started_ns = now_monotonic_ns();
    if (server->shared && server->board) return true;
    log_error("not enough memory for %u workers", service->workers);
    return false;
}

static int processes_run(struct server *server, struct program *p)
{
    root_warn();
    lesson_warn(p);
    start_tell(p);
    processes_make(server, p);
    server->now = p;
    server->shared->generation = 1;
    server->options = (struct supervise_options){.drain_ns = p->service.drain_ns,
                                                 .release = draining_begins,
                                                 .finish = workers_ended,
                                                 .adjust = processes_adjust,
                                                 .absence = absence_changed,
                                                 .reload = reload_begin,
                                                 .serves = reload_serves,
                                                 .replaced = reload_replaced,
                                                 .failed = reload_failed,
                                                 .of = server};
    return supervise(server->shared->process, server->shared->count, &server->options);
}

/* Everything that a process could still hold was closed before. */
static void server_close(struct server *server)
{
    stats_board_close(server->board, SLOTS(server->room));
    status_shared_close(server->shared);
    if (server->next) program_free(server->next);
    log_flush();
}

int server_run(struct program *p, const struct command_line *line, const char *version)
{
    char problem[512];
    static struct server server;
    int code = EXIT_FAILURE;
    server = (struct server){.line = line, .version = version};
    supervise_prepare();
    descriptors_raise(&p->service);
    if (!program_open(p, NULL, problem, sizeof(problem)))
        log_error("%s", problem);
    else if (server_open(&server, &p->service))
        code = processes_run(&server, p);
    p = server.now ? server.now : p;
    program_close(p, NULL);
    program_free(p);
    server_close(&server);
    return code;
}
