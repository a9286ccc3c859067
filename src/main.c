/*
 * The program: reads the command line and the configuration, makes the service they describe,
 * and starts the processes that serve it. Nothing is served here.
 */
#include "zcserve/command_line.h"
#include "zcserve/config.h"
#include "zcserve/log.h"
#include "zcserve/model.h"
#include "zcserve/status_listener.h"
#include "zcserve/supervise.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_BAD_CONFIGURATION = 78 }; /* EX_CONFIG of sysexits.h */

#define DESCRIPTORS_SPARE 24 /* of a worker: logs, epoll, inotify, a file being read */

struct program {
    const struct config *config;
    const char *reason; /* which configuration that is, and why     */
    const char *origin; /* its file where there is one, for messages */
    const struct model *model;
    struct service service;
    struct prefork_pool pool;
    struct access_recorder recorder;
    struct status_listener status;
    struct status_shared *shared; /* the processes, and what the status process is told of them */
    struct status_subject subject;
    struct media_types *types;
};

/* ---- from the configuration to a service ---------------------------------------------------- */

/* As config_load tells what it finds wrong itself. */
static void config_problem(const struct program *p, const char *option, const void *member,
                           const char *problem)
{
    fprintf(stderr, "%s: %s: %s\n", config_place(p->config, member), option, problem);
}

static bool addresses_read(struct program *p)
{
    struct service *service = &p->service;
    const struct config_list *listen = &p->config->listen;
    for (uint32_t i = 0; i < listen->count; i++) {
        char problem[256];
        if (listen_address_parse(listen->item[i], &service->address[i], problem, sizeof(problem)) !=
            0) {
            config_problem(p, "listen", listen, problem);
            return false;
        }
    }
    service->addresses = listen->count;
    return true;
}

/* Is anything to be shown? */
static bool has_status(const struct program *p)
{
    const char *address = p->config->status;
    return *address && strcmp(address, "off") != 0;
}

static bool status_read(struct program *p)
{
    char problem[256];
    if (!has_status(p) ||
        listen_address_parse(p->config->status, &p->status.address, problem, sizeof(problem)) == 0)
        return true;
    config_problem(p, "status", &p->config->status, problem);
    return false;
}

static bool types_read(struct program *p)
{
    char problem[256];
    const char *file = p->config->mime_types;
    p->types = *file ? media_types_load(file, problem, sizeof(problem)) : media_types_embedded();
    if (!p->types)
        config_problem(p, "mime_types", &p->config->mime_types,
                       *file ? problem : "no memory for media types");
    return p->types != NULL;
}

static bool list_has(const struct config_list *list, const char *word)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->item[i], word) == 0) return true;
    return false;
}

static void rules_make(struct conn_rules *rules, const struct config *config)
{
    *rules = (struct conn_rules){
        .server = {config->server, strlen(config->server)},
        .head_bytes_max = (uint32_t)config->limits_head,
        .target_bytes_max = (uint32_t)config->limits_target,
        .fields_max = (uint32_t)config->limits_fields,
        .body_bytes_max = config->limits_body,
        .head_ns = config->timeouts_head,
        .body_ns = config->timeouts_body,
        .idle_ns = config->timeouts_idle,
        .send_ns = config->timeouts_send,
        .linger_ns = config->timeouts_linger,
        .keep_alive = config->keep_alive,
    };
}

static void store_options_make(struct program *p)
{
    const struct config *config = p->config;
    p->service.store = (struct store_options){
        .root = config->root,
        .index = config->index.item,
        .symlinks = (enum symlink_policy)config->symlinks,
        .hidden = config->hidden,
        .sidecar = {[CODING_GZIP] = list_has(&config->sidecars, "gz"),
                    [CODING_BR] = list_has(&config->sidecars, "br"),
                    [CODING_ZSTD] = list_has(&config->sidecars, "zst")},
        .memory_bytes_max = config->cache_size / p->service.workers,
        .file_bytes_max = config->cache_file_max,
        .descriptors_max = (uint32_t)config->cache_descriptors,
        .absent_max = (uint32_t)config->cache_absent,
        .watches_max = (uint32_t)config->cache_watches,
        .recheck_ns = config->cache_recheck,
        .types = p->types,
    };
}

/* Opens a store once to see that it can be. */
static bool root_valid(const struct program *p)
{
    char problem[256];
    struct store *store = store_open(&p->service.store, problem, sizeof(problem));
    if (!store) {
        config_problem(p, "root", &p->config->root, problem);
        return false;
    }
    store_close(store);
    return true;
}

static bool service_make(struct program *p)
{
    const struct config *config = p->config;
    struct service *service = &p->service;
    p->model = model_find((enum config_model)config->model);
    p->model->shape(service, config);
    service->drain_ns = config->timeouts_drain;
    service->backlog = (int)config->backlog;
    service->log_format = (enum access_format)config->log_format;
    service->log_buffer_bytes = config->log_buffer;
    service->log_interval_ns = config->log_interval;
    rules_make(&service->rules, config);
    if (!addresses_read(p) || !status_read(p) || !types_read(p)) return false;
    store_options_make(p);
    return root_valid(p);
}

/* auto is io_uring where that works, and otherwise says why not. */
static bool model_choose(struct program *p)
{
    enum config_model wanted = (enum config_model)p->config->model;
    if (p->model->run != uring_run) return true;
    const char *problem = uring_problem();
    if (!problem) {
        uring_options_try(&p->service.uring);
        return true;
    }
    if (wanted == MODEL_URING) {
        log_error("%s; or choose model = epoll", problem);
        return false;
    }
    p->model = model_find(MODEL_EPOLL);
    log_notice("model epoll was chosen, because of %s", problem);
    return true;
}

/* ---- limits of the system ------------------------------------------------------------------- */

/* What a thread needs: its store's root and watches, a connection, a file being read, two kept open. */
#define DESCRIPTORS_OF_THREAD 6

/* Threads share the descriptors of their process, and so does their queue. */
static void threads_fit(struct service *service, uint64_t descriptors)
{
    uint64_t own = DESCRIPTORS_SPARE + service->addresses + 1;
    uint64_t left = descriptors > own ? descriptors - own : 0;
    uint64_t threads = left / DESCRIPTORS_OF_THREAD;
    if (threads < service->workers) service->workers = threads > 0 ? (uint32_t)threads : 1;
    uint64_t room = left + 1 - service->workers * DESCRIPTORS_OF_THREAD;
    if (room < service->queue_max) service->queue_max = room > 0 ? (uint32_t)room : 1;
}

/* Takes as many descriptors as the system allows; fewer connections when these are too few. */
static void descriptors_raise(struct service *service)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (service->workers > service->processes) threads_fit(service, limit.rlim_cur);
    uint64_t stores = service->workers / service->processes; /* in one process */
    uint64_t own = DESCRIPTORS_SPARE + service->addresses + service->queue_max + 2 * stores;
    uint64_t others = own + stores * service->store.descriptors_max;
    uint64_t connections = stores * service->connections_max;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= others + connections) return;
    uint64_t files_max =
        limit.rlim_cur / 4 / stores; /* these give way, connections are the point */
    if (service->store.descriptors_max > files_max)
        service->store.descriptors_max = (uint32_t)files_max;
    others = own + stores * service->store.descriptors_max;
    uint64_t left = limit.rlim_cur > others + 1 ? limit.rlim_cur - others : 1;
    if (left < service->connections_max) service->connections_max = (uint32_t)left;
    log_warn("only %llu descriptors may be open (RLIMIT_NOFILE): %u of who serves, each with %u "
             "connection%s and %u cached files; raise it with ulimit -n or LimitNOFILE=",
             (unsigned long long)limit.rlim_cur, service->workers, service->connections_max,
             service->connections_max == 1 ? "" : "s", service->store.descriptors_max);
}

/* ---- running --------------------------------------------------------------------------------- */

static int worker_run(const void *of, uint32_t index)
{
    struct program *p = (struct program *)(uintptr_t)of;
    status_listener_leave(&p->status);
    return p->model->run(&p->service, index);
}

/* The recorder ends when no sender is left, so nobody else may keep one. */
static int status_run(const void *of, uint32_t index)
{
    struct program *p = (struct program *)(uintptr_t)of;
    (void)index;
    service_listeners_leave(&p->service, SERVICE_NO_WORKER);
    if (p->service.recorder) access_recorder_close(&p->recorder);
    return status_listener_run(&p->status, &p->subject);
}

static int recorder_run(const void *of, uint32_t index)
{
    struct program *p = (struct program *)(uintptr_t)of;
    (void)index;
    status_listener_leave(&p->status);
    service_listeners_leave(&p->service, SERVICE_NO_WORKER);
    return access_recorder_run(&p->recorder);
}

static void draining_begins(const void *of)
{
    const struct program *p = of;
    p->shared->draining = true;
    service_listeners_leave(&p->service, SERVICE_NO_WORKER);
}

static void workers_ended(const void *of)
{
    struct program *p = (struct program *)(uintptr_t)of;
    status_listener_close(&p->status);
    if (p->service.recorder) access_recorder_close(&p->recorder);
}

static uint64_t pool_adjust(const void *of, struct supervised *processes, uint32_t count)
{
    struct program *p = (struct program *)(uintptr_t)of;
    return prefork_adjust(&p->pool, processes, count);
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

/* One that grows and shrinks. */
static bool is_pool(const struct service *service)
{
    return service->pool.start > 0;
}

/* A process of several threads wants more than one CPU. */
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
        processes[count++] =
            (struct supervised){.name = "worker",
                                .run = worker_run,
                                .of = p,
                                .index = i,
                                .cpu = is_pinned(p) ? cpu_nth_usable(i) : -1,
                                .unwanted = is_pool(service) && i >= service->pool.start};
}

static void subject_make(struct program *p)
{
    struct timespec wall = {0}, monotonic = {0};
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    p->subject = (struct status_subject){
        .service = &p->service,
        .shared = p->shared,
        .version = ZCSERVE_VERSION,
        .model = p->model->name,
        .root = p->config->root,
        .supervisor = getpid(),
        .started_seconds = (double)wall.tv_sec + (double)wall.tv_nsec * 1e-9,
        .started_ns = (uint64_t)monotonic.tv_sec * NS_PER_SECOND + (uint64_t)monotonic.tv_nsec,
    };
}

static int processes_run(struct program *p)
{
    const struct service *service = &p->service;
    uint32_t others = (service->recorder ? 1U : 0U) + (has_status(p) ? 1U : 0U);
    if (!(p->shared = status_shared_open(service->processes + others))) {
        log_error("no memory for %u workers", service->workers);
        return EXIT_FAILURE;
    }
    processes_make(p);
    subject_make(p);
    p->pool = (struct prefork_pool){.service = service};
    struct supervise_options options = {.drain_ns = service->drain_ns,
                                        .release = draining_begins,
                                        .finish = workers_ended,
                                        .adjust = is_pool(service) ? pool_adjust : NULL,
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
        log_error("cannot open the access log %s: %s", file, strerror(-error));
    return error == 0;
}

static int server_run(struct program *p)
{
    char problem[512];
    supervise_prepare();
    descriptors_raise(&p->service);
    int code = EXIT_FAILURE;
    if (service_open(&p->service, problem, sizeof(problem)) != 0 ||
        (has_status(p) && status_listener_open(&p->status, problem, sizeof(problem)) != 0)) {
        log_error("%s", problem);
    } else if (recorder_open(p)) {
        start_tell(p);
        code = processes_run(p);
    }
    status_listener_close(&p->status);
    service_close(&p->service);
    return code;
}

static int command_run(struct program *p, enum command command)
{
    const struct config *config = p->config;
    int error = log_open(config->error_log, (enum log_level)config->log_level);
    if (error != 0) {
        log_error("cannot open the error log %s: %s", config->error_log, strerror(-error));
        return EXIT_FAILURE;
    }
    if (!service_make(p)) return EXIT_BAD_CONFIGURATION;
    if (!model_choose(p)) return EXIT_FAILURE;
    if (command == COMMAND_SERVE) return server_run(p);
    fprintf(stderr, "%s: the configuration is right\n", p->origin);
    return EXIT_SUCCESS;
}

/* ---- the tools ------------------------------------------------------------------------------- */

/* The first word: so a directory of that name is served as ./top. */
static bool is_tool(const char *word)
{
    return strcmp(word, "top") == 0 || strcmp(word, "report") == 0;
}

/* They are a program beside this one, whose libraries the server need not load. */
static int tool_become(char **argv)
{
    static const char name[] = "zcserve-tool";
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(name));
    while (length > 0 && path[length - 1] != '/')
        length--;
    memcpy(path + (length > 0 ? length : 0), name, sizeof(name));
    execv(path, argv);
    fprintf(stderr, "zcserve %s: cannot start %s: %s\n", argv[1], path, strerror(errno));
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc > 1 && is_tool(argv[1])) return tool_become(argv);
    static struct command_line line;
    int code = command_line_read(argc, argv, &line);
    if (line.command == COMMAND_DONE) return code;
    struct config *config =
        config_load(line.config_file, line.overrides, line.override_count, stderr);
    if (!config) return EXIT_BAD_CONFIGURATION;
    struct program program = {.config = config,
                              .reason = line.reason,
                              .origin = line.reason,
                              .status = {.fd = -1, .alive = {-1, -1}}};
    if (line.config_file) program.origin = line.config_file;
    if (line.command == COMMAND_PRINT)
        config_print(config, stdout);
    else
        code = command_run(&program, line.command);
    if (program.types) media_types_free(program.types);
    config_free(config);
    return code;
}
