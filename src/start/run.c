/*
 * The processes of a server: which processes there are, what each closes before it begins, and in
 * which order everything is closed at the end.
 */
#include "announce/announce.h"
#include "start/inherited.h"
#include "start/limits.h"
#include "start/ceiling.h"
#include "start/program.h"
#include "start/upgrade.h"
#include "zcserve/log.h"
#include "zcserve/now.h"
#include "process/supervised.h"
#include "zcserve/supervise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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
    if (p->server->inherited) inherited_leave(p->server->inherited);
    return p;
}

/* Gives up the user and the file system; what is left to give up are the system calls. */
static bool confine(const struct program *p)
{
    const struct confinement *confinement = &p->service.confinement;
    return confine_root(confinement) && confine_user(confinement) &&
           supervised_tie(p->subject.supervisor) && confine_files(confinement);
}

static int worker_run(const void *of, uint32_t index)
{
    struct program *p = begin(of);
    status_listener_leave(&p->status);
    if (p->service.recorder) access_recorder_send_only(&p->recorder);
    if (!confine(p)) return EXIT_FAILURE;
    for (uint32_t i = 0; i < p->service.confinement.roots; i++)
        p->tree[i].root = p->service.confinement.root[i];
    return model_serve(p->model, &p->service, index);
}

/*
 * The status process has no rules of Landlock: they would be others than those of the workers, and
 * then the kernel does not let it read their proportional memory, and nothing of them where /proc
 * hides processes (hidepid; systemd: ProtectProc=): landlock(7), ptrace restrictions. Where the others
 * enter a directory, it sees /proc alone, and through that what the workers see.
 */
static void status_place_choose(struct program *p)
{
    struct confinement *confinement = &p->service.confinement;
    confinement->files = false;
    if (!confinement->chroot) return;
    confinement->chroot = "/proc";
    p->subject.proc = "";
}

/* Closes this copy of the recorder's sender, because the recorder ends when no sender is left. */
static int status_run(const void *of, uint32_t index)
{
    struct program *p = begin(of);
    (void)index;
    service_listeners_leave(&p->service);
    if (p->service.recorder) access_recorder_close(&p->recorder);
    status_place_choose(p);
    if (!status_listener_load() || !confine(p)) return EXIT_FAILURE;
    return status_listener_run(&p->status, &p->subject);
}

static int recorder_run(const void *of, uint32_t index)
{
    struct program *p = begin(of);
    (void)index;
    status_listener_leave(&p->status);
    service_listeners_leave(&p->service);
    p->service.confinement.roots = 0;
    p->service.confinement.beneath = NULL;
    if (!confine(p) || !confine_calls(&p->service.confinement, CONFINE_RECORDER))
        return EXIT_FAILURE;
    return access_recorder_run(&p->recorder);
}

static void addresses_format(const struct service *service, char *text, size_t size)
{
    text[0] = '\0';
    for (uint32_t i = 0; i < service->addresses; i++) {
        char address[LISTEN_ADDRESS_TEXT_MAX];
        size_t used = strlen(text);
        bool local = service->address[i].address.ss_family == AF_UNIX;
        listen_address_format(&service->address[i], address, sizeof(address));
        snprintf(text + used, size - used, "%s%s%s%s%s", i ? ", " : "", local ? "" : "http://",
                 address, local ? "" : "/", service->address[i].proxy ? " (PROXY protocol)" : "");
    }
}

void start_tell(const struct program *p)
{
    char addresses[SERVICE_ADDRESSES_MAX * (LISTEN_ADDRESS_TEXT_MAX + 32)];
    const struct service *service = &p->service;
    confinement_tell(p);
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
        .proc = "/proc",
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

/* A predecessor answers at the status' address until this program serves. */
static struct supervised status_of(struct program *p)
{
    struct supervised process = process_of(p, "status", status_run);
    process.unwanted = p->server->inherited && p->server->inherited->report;
    return process;
}

static struct supervised worker_of(struct program *p, uint32_t index)
{
    struct supervised process = process_of(p, "worker", worker_run);
    process.index = index;
    process.cpu = is_pinned(p) ? cpu_nth_usable(index) : -1;
    process.patient = p->service.waits_for_disk || p->service.fetches_max == 0;
    process.unwanted = index >= p->service.processes_first;
    return process;
}

static void status_want(struct server *server, bool wanted)
{
    struct status_shared *shared = server->shared;
    for (uint32_t i = 0; i < shared->count; i++)
        if (shared->process[i].run == status_run && shared->process[i].of == server->now)
            shared->process[i].unwanted = !wanted;
}

void status_begin(struct server *server)
{
    status_want(server, true);
}

/* Its process ends when the pipe is closed. */
void status_end(struct server *server)
{
    status_want(server, false);
    status_listener_close(&server->now->status, &server->now->status);
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
    if (has_status(p)) *next++ = status_of(p);
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
    lesson_warn(p);
    start_tell(p);
    if (server->line->opens) announce(p->service.address, p->service.addresses, stdout);
    processes_make(server, p);
    server->now = p;
    server->shared->generation = 1;
    server->options = (struct supervise_options){.notify = &server->notify,
                                                 .begun = server_begun,
                                                 .announce = stop_announce,
                                                 .release = draining_begins,
                                                 .finish = workers_ended,
                                                 .reopen = logs_reopen,
                                                 .adjust = processes_adjust,
                                                 .absence = absence_changed,
                                                 .awake_since = worker_awake_since,
                                                 .hung = worker_hung,
                                                 .reload_asked = reload_asked,
                                                 .reload = reload_begin,
                                                 .serves = reload_serves,
                                                 .replaced = reload_replaced,
                                                 .failed = reload_failed,
                                                 .upgrade = upgrade_begin,
                                                 .succeeded = upgrade_succeeded,
                                                 .upgrade_failed = upgrade_failed,
                                                 .of = server};
    times_set(server);
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

int server_run(struct program *p, const struct command_line *line, const char *version,
               struct inherited *inherited)
{
    char problem[512];
    static struct server server;
    int code = EXIT_FAILURE;
    const struct program *before = inherited_before(inherited);
    server = (struct server){.line = line, .version = version, .inherited = inherited};
    supervise_prepare();
    descriptors_raise(&p->service);
    if (notify_open(&server.notify) != 0)
        log_warn("NOTIFY_SOCKET is neither a path nor a name after '@'; nothing is sent there");
    if (!program_open(p, before, problem, sizeof(problem)))
        program_problem(p, problem);
    else if (server_open(&server, &p->service))
        code = processes_run(&server, p);
    p = server.now ? server.now : p;
    program_close(p, server.inherited ? before : NULL);
    program_free(p);
    server_close(&server);
    return code;
}
