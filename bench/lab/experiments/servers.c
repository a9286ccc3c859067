/*
 * Experiment 15: server models.
 *
 * Question.  A process, a thread, or a place in a loop for each connection: what does this decide, and when
 *            does it matter?
 *
 * Expected.  Each row has its prediction first (columns prediction and predicted_bytes). It follows from
 *            what a model does, and was made before anything was measured:
 *            - Many kept connections. A loop only learns of connections that have something to say
 *              (epoll(7)), so its requests/s stay flat from 32 to 20,000 connections. So do those of
 *              threads, a little lower, because each request is a switch. Processes switch address
 *              spaces too, and their requests/s fall.
 *            - Memory. A process has all the pages that it wrote to (8 of them after a plain fork(2);
 *              zcserve's processes have the tables of a worker, 256 KiB). A thread has the touched pages
 *              of its stack (3 of them; with the tables of a worker 48 KiB). A loop has one struct (1 to
 *              3 KiB). The kernel's page tables and stacks come on top: kernel_bytes.
 *            - A new connection for each request. accept(2) costs all the same. fork(2) comes on top,
 *              and costs more than the rest together (W. R. Stevens, "UNIX Network Programming", vol. 1,
 *              chapter 30, compares the same models).
 *            - Slow clients. They hold what a connection has of its own. 64 of them hold a pool of 32,
 *              and nobody else gets a response; a loop is not affected ("Slowloris", R. Hansen, 2009).
 *            - Slow readers. They hold a connection that has more to send; else the same as slow
 *              clients.
 *            - A slow disk. A server waits for a file that is not in memory. Where each connection may
 *              wait alone, others go on. A plain loop stands still for all; zcserve's loops let other
 *              threads, or the kernel, wait. The load "limited" is the same, with a disk that a control
 *              group makes slow for the server alone (root).
 *            - Work of the CPU. The kernel shares the CPU between processes and between threads, some
 *              milliseconds each. A loop computes to the end, and all others wait for so long.
 *
 * Vary.      --set connections=32,20000   --set servers=epoll,min-loop   --set loads=slow,limited,compute
 *            --set slow=500
 *            --set pool=128: how large zcserve's pools are.
 *            Read server_fork.c, server_thread.c and server_loop.c beside it.
 *
 * Needs.     Any Linux; io_uring as zcserve needs it (6.0). zcserve is the program beside zclab (make all).
 *
 * Servers have one CPU and the client has another one. All loads except kept and new are open: a request is
 * due every 1/rate seconds, and its latency counts from then. CPU and system calls are those of the server.
 */
#include "servers.h"

#include "../calls.h"
#include "../device.h"
#include "../experiment.h"
#include "../guards.h"
#include "../usage.h"
#include "server_minimal.h"
#include "servers_child.h"
#include "servers_load.h"

#include <errno.h>
#include <inttypes.h>
#include <liburing.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIST = 16, COLD_FILES = 64, COLD_BYTES = 256 << 10, HOT_BYTES = 1024, PACED = 16 };
enum { LARGE_BYTES = 8 << 20 }; /* more than sockets can hold */
enum { SPARE_DESCRIPTORS = 2048, BESIDE = 2 };
#define TICKS_S 0.2 /* CPU time from which ticks of 10 ms separate user from system */

static const struct column factors[] = {
    {"server", "text", "prefork threadpool epoll io_uring: zcserve's models; min-…: minimal ones"},
    {"load", "text", "kept, new, alone, slow, readers, disk, limited or compute"},
    {"connections", "count", "connections that the requests come on"},
    {"prediction", "text", "what was predicted: a word, see bench/lab/experiments/servers_find.c"},
    {"predicted_bytes", "bytes", "what was predicted of the server's memory, a connection"},
    {0}};

static const struct column figures[] = {
    {"memory_bytes", "bytes", "memory of all the server's processes (shared pages shared out)"},
    {"kernel_bytes", "bytes",
     "what the kernel's own memory grew by (slabs, stacks, page tables), the client's half "
     "included"},
    {"processes", "count", "processes of the server"},
    {"threads", "count", "threads of all its processes"},
    {"server_cpu", "ratio", "CPU time of the server / time that passed"},
    {"server_us_per_op", "us",
     "CPU time of the server for one request, in the program and in the kernel"},
    {"client_cpu", "ratio", "CPU time of the client / time that passed; an open load never sleeps"},
    {"unanswered", "count", "requests that had waited for 0.1 s or more at the end"},
    {"reconnected", "count", "kept connections that the server closed"},
    {"beside_per_s", "1/s", "answers to the clients of cold files or of computing"},
    {0}};

static const struct parameter parameters[] = {
    {"servers", "of: prefork threadpool epoll io_uring min-fork min-thread min-loop",
     "prefork,threadpool,epoll,io_uring,min-fork,min-thread,min-loop",
     "prefork,threadpool,epoll,io_uring,min-fork,min-thread,min-loop",
     "prefork,threadpool,epoll,io_uring,min-fork,min-thread,min-loop"},
    {"loads", "of: kept new alone slow readers disk limited compute",
     "kept,new,alone,slow,readers,disk,limited,compute",
     "kept,new,alone,slow,readers,disk,limited,compute",
     "kept,new,alone,slow,readers,disk,limited,compute"},
    {"connections", "kept connections, used in turn", "1,32,256,1000,5000,20000", "32,500", "8"},
    {"under_way", "requests that are under way at once", "32", "32", "8"},
    {"rate", "requests/s of the open loads", "1000", "1000", "500"},
    {"slow", "slow clients, or slow readers", "64", "64", "32"},
    {"limited", "bytes per second that the slow disk gives", "4m", "4m", "4m"},
    {"pool", "processes or threads that zcserve has for the open loads", "32", "32", "20"},
    {"processes_max", "most connections where each has a process", "1000", "500", "64"},
    {"threads_max", "most connections where each has a thread", "5000", "1000", "64"},
    {0}};

static const struct plot plots[] = {
    {"kept", "As many requests at once over more and more kept connections", "connections", "iops",
     "server", "load=kept", false, true, false},
    {"memory", "Memory of the server", "connections", "memory_bytes", "server", "load=kept", false,
     true, true},
    {"cpu", "CPU of the server for a request over many kept connections", "connections",
     "server_us_per_op", "server", "load=kept", false, true, true},
    {"new", "A new connection for each request: requests/s", "server", "iops", NULL, "load=new",
     true, false, false},
    {"alone", "p95 latency with nothing beside", "server", "p95_us", NULL, "load=alone", true,
     false, false},
    {"slow", "p95 latency beside slow clients", "server", "p95_us", NULL, "load=slow", true, false,
     false},
    {"readers", "p95 latency beside slow readers", "server", "p95_us", NULL, "load=readers", true,
     false, false},
    {"limited", "p95 latency beside clients of cold files on a slow disk", "server", "p95_us", NULL,
     "load=limited", true, false, false},
    {"disk", "p95 latency beside clients of cold files", "server", "p95_us", NULL, "load=disk",
     true, false, false},
    {"compute", "p95 latency beside clients that make it compute", "server", "p95_us", NULL,
     "load=compute", true, false, false},
    {0}};

const struct server servers[] = {
    {"prefork", EACH_PROCESS, true, 256 << 10},  {"threadpool", EACH_THREAD, true, 48 << 10},
    {"epoll", EACH_LOOP, false, 1 << 10},        {"io_uring", EACH_LOOP, false, 1 << 10},
    {"min-fork", EACH_PROCESS, false, 32 << 10}, {"min-thread", EACH_THREAD, false, 12 << 10},
    {"min-loop", EACH_LOOP, false, 2560},        {0}};

const char *servers_prediction(const struct server *server, const char *load)
{
    bool minimal = !strncmp(server->name, "min-", 4), loop = server->each == EACH_LOOP;
    bool forks = server->each == EACH_PROCESS;
    if (!strcmp(load, "kept")) return forks ? "falls" : "flat";
    if (!strcmp(load, "new")) return forks && minimal ? "costly" : "cheap";
    if (!strcmp(load, "alone")) return "reference";
    if (!strcmp(load, "slow") || !strcmp(load, "readers"))
        return server->is_pool ? "starved" : "unharmed";
    if (!strcmp(load, "disk") || !strcmp(load, "limited"))
        return loop && minimal ? "stalled" : "unharmed";
    return !minimal ? NULL : loop ? "waits" : "shared";
}

/* ---- the work ---------------------------------------------------------------------------------- */

struct serving {
    struct child_plan child_plan;
    struct load_plan load_plan;
    struct child child;
    struct load *load;
    struct control_group group;
    unsigned disk[2]; /* its number, and … */
    uint64_t limited; /* … the bytes per second that the server may read from it; 0: no limit */
    bool of_memory, pinned;
    int client_cpu;
    cpu_set_t cpus;
    double kernel_bytes;
    struct child_use held;
};

/* Returns what the kernel itself holds for connections and tasks of the whole machine. */
static double kernel_memory(void)
{
    static const char *const part[] = {"Slab:", "KernelStack:", "PageTables:"};
    char line[128];
    double sum = 0, kib;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file))
        for (unsigned i = 0; i < 3; i++)
            if (!strncmp(line, part[i], strlen(part[i])) &&
                sscanf(line + strlen(part[i]), "%lf", &kib) == 1)
                sum += kib * 1024;
    if (file) fclose(file);
    return sum;
}

static int disk_limit(struct control_group *group, const unsigned disk[2], uint64_t bytes)
{
    int result = control_group_open(group, CONTROLLER_IO, CONTROL_GROUP_MOUNTS);
    return result == 0 ? control_group_reads(group, disk[0], disk[1], 0, bytes) : result;
}

/* Returns why the disk cannot be made slow here; NULL: it can, and `disk` gets its number. */
static const char *disk_hindrance(const struct lab *lab, unsigned disk[2])
{
    static struct control_group group;
    if (!device_number(lab_device(lab), &disk[0], &disk[1])) return "the data are on no disk";
    int result = disk_limit(&group, disk, LARGE_BYTES);
    control_group_close(&group);
    return result < 0 ? group.why : NULL;
}

static int serving_open(void *context)
{
    struct serving *s = context;
    cpu_set_t mine;
    CPU_ZERO(&mine);
    CPU_SET((size_t)s->client_cpu, &mine);
    s->pinned = sched_getaffinity(0, sizeof s->cpus, &s->cpus) == 0 &&
                sched_setaffinity(0, sizeof mine, &mine) == 0;
    double kernel = kernel_memory();
    int result = s->limited ? disk_limit(&s->group, s->disk, s->limited) : 0;
    if (s->limited) s->child_plan.group = &s->group;
    if (result == 0) result = child_start(&s->child, &s->child_plan);
    s->load_plan.port = s->child.port;
    if (result == 0) result = load_open(&s->load, &s->load_plan);
    if (result < 0 || !s->of_memory) return result;
    s->held = child_use_read(&s->child, true);
    s->kernel_bytes = kernel_memory() - kernel;
    return 0;
}

/*
 * Pages that were sent from the page cache and received on another CPU are given back to the CPU that sent
 * them. That CPU frees them only when it next gets a packet (skb_attempt_defer_free() in
 * net/core/skbuff.c). Until then these pages cannot be evicted, so this sends a packet to that CPU.
 */
static void packets_free(int cpu)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    cpu_set_t one;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        sendto(fd, "", 1, MSG_DONTWAIT, (struct sockaddr *)&address, length);
    if (fd >= 0) close(fd);
}

static void serving_close(void *context)
{
    struct serving *s = context;
    load_close(s->load);
    if (s->limited) /* frees what waits for the disk: a process cannot end in such a wait */
        control_group_reads(&s->group, s->disk[0], s->disk[1], 0, 0);
    child_stop(&s->child);
    control_group_close(&s->group);
    s->load = NULL;
    if (s->load_plan.beside_paths) packets_free(s->child_plan.cpu);
    if (s->pinned) sched_setaffinity(0, sizeof s->cpus, &s->cpus);
}

/* Sets figures of the server's processes in place of zclab's own. */
static void use_tell(struct measure *m, const struct load_result *r, const struct child_use *from,
                     const struct child_use *to, double others_s)
{
    double n = (double)m->tally.operations, mib = (double)m->tally.bytes / (1 << 20);
    double cpus = (to->cpu_s - from->cpu_s) / ((double)(to->read_ns - from->read_ns) / 1e9);
    double cpu = cpus * r->seconds, user = to->user_s - from->user_s;
    double ticks = user + to->kernel_s - from->kernel_s;
    double share = ticks >= TICKS_S ? user / ticks : NAN;
    double others = (others_s - cpu) / r->seconds - r->client_cpu;
    measure_figure(m, "server_cpu", cpus);
    measure_figure(m, "server_us_per_op", cpu * 1e6 / n);
    measure_figure(m, "user_us_per_op", share * cpu * 1e6 / n);
    measure_figure(m, "system_us_per_op", (1 - share) * cpu * 1e6 / n);
    measure_figure(m, "user_us_per_mib", share * cpu * 1e6 / mib);
    measure_figure(m, "system_us_per_mib", (1 - share) * cpu * 1e6 / mib);
    measure_figure(m, "minor_faults", fmax(0, to->minor_faults - from->minor_faults));
    measure_figure(m, "major_faults", fmax(0, to->major_faults - from->major_faults));
    measure_figure(m, "switches", NAN);
    if (r->seconds >= 0.1) measure_figure(m, "others_cpu", fmax(0, others));
}

static void load_tell(struct measure *m, const struct load_result *r)
{
    measure_figure(m, "seconds", r->seconds);
    measure_figure(m, "iops", (double)r->answered / r->seconds);
    measure_figure(m, "mb_per_s", (double)m->tally.bytes / 1e6 / r->seconds);
    measure_figure(m, "client_cpu", r->client_cpu);
    measure_figure(m, "unanswered", (double)r->unanswered);
    measure_figure(m, "reconnected", (double)r->reconnected);
}

static int serving_run(void *context, struct measure *m)
{
    struct serving *s = context;
    struct load_result r = {0};
    struct child_use from = child_use_read(&s->child, false);
    struct usage machine, before;
    usage_read(&before);
    double calls = calls_read();
    measure_restart(m);
    int result = load_run(s->load, m, &r);
    double calls_then = calls_read();
    usage_read(&machine);
    struct child_use to = child_use_read(&s->child, false);
    if (result < 0) return result;
    usage_since(&machine, &before);
    use_tell(m, &r, &from, &to, machine.busy_s);
    load_tell(m, &r);
    if (s->load_plan.beside) measure_figure(m, "beside_per_s", (double)r.beside / r.seconds);
    /* The counter includes this process and all its children: the rest belongs to the server. */
    double served = calls >= 0 ? calls_then - calls - (double)r.calls : NAN;
    measure_figure(m, "syscalls_per_op", served / (double)m->tally.operations);
    guard_same_cpu(m, s->child_plan.cpu, s->client_cpu);
    measure_figure(m, "processes", to.processes);
    measure_figure(m, "threads", to.threads);
    if (!s->of_memory) return 0;
    measure_figure(m, "memory_bytes", s->held.memory_bytes);
    measure_figure(m, "kernel_bytes", fmax(0, s->kernel_bytes));
    return 0;
}

/* ---- the cases --------------------------------------------------------------------------------- */

static bool ring_is_permitted(void)
{
    static int permitted = -1;
    struct io_uring ring;
    if (permitted < 0) {
        permitted = io_uring_queue_init(4, &ring, 0) == 0;
        if (permitted) io_uring_queue_exit(&ring);
    }
    return permitted;
}

/* Returns why this server cannot run here at all; NULL: it can. */
static const char *hindrance(const struct server *server)
{
    if (child_is_zcserve(server->name) && !child_zcserve())
        return "there is no zcserve beside zclab (make all)";
    if (!strcmp(server->name, "io_uring") && !ring_is_permitted())
        return "io_uring is not permitted here";
    return NULL;
}

static bool is_possible(struct lab *lab, const struct server *server, uint64_t connections)
{
    char what[96], why[160];
    uint64_t most = lab_number(lab, server->each == EACH_PROCESS ? "processes_max" : "threads_max");
    snprintf(what, sizeof what, "%s with %" PRIu64 " connections", server->name, connections);
    if (server->each != EACH_LOOP && connections > most) {
        snprintf(why, sizeof why, "a %s for each: at most %" PRIu64 " (--set %s)",
                 server->each == EACH_PROCESS ? "process" : "thread", most,
                 server->each == EACH_PROCESS ? "processes_max" : "threads_max");
        lab_skip(lab, what, why);
        return false;
    }
    return true;
}

/*
 * Returns as many connections as there may be descriptors. Says so when they are fewer than were asked for.
 */
static uint64_t connections_possible(struct lab *lab, uint64_t wanted)
{
    char what[64], why[160];
    uint64_t descriptors = child_descriptors(wanted + SPARE_DESCRIPTORS);
    if (descriptors >= wanted + SPARE_DESCRIPTORS) return wanted;
    uint64_t possible = descriptors > SPARE_DESCRIPTORS ? descriptors - SPARE_DESCRIPTORS : 1;
    snprintf(what, sizeof what, "%" PRIu64 " connections", wanted);
    snprintf(why, sizeof why,
             "%" PRIu64 " descriptors may be open (ulimit -n), so it is %" PRIu64 " connections",
             descriptors, possible);
    lab_skip(lab, what, why);
    return possible;
}

static const char *below(const char *root, const char *path)
{
    return path + strlen(root);
}

static void serving_measure(struct lab *lab, const struct server *server, const char *load,
                            uint64_t connections)
{
    static struct serving s;
    static char root[256], hot[280], cold[280], large[280];
    int cpu[2] = {0, 0};
    const struct data *file = lab_file(lab, HOT_BYTES);
    const struct data *files = lab_files(lab, COLD_FILES, COLD_BYTES);
    bool kept = !strcmp(load, "kept"), anew = !strcmp(load, "new"), paced = !kept && !anew;
    bool slow = !strcmp(load, "slow"), readers = !strcmp(load, "readers");
    bool limited = !strcmp(load, "limited"), disk = limited || !strcmp(load, "disk");
    const char *prediction = servers_prediction(server, load);
    if (lab_cpus(cpu, 2) < 2) cpu[1] = cpu[0];
    if (!prediction) {
        char what[64];
        snprintf(what, sizeof what, "%s under %s", server->name, load);
        lab_skip(lab, what, "zcserve serves files: nothing that it is asked for computes");
        return;
    }
    s = (struct serving){.client_cpu = cpu[1], .of_memory = kept, .child.said = -1};
    const char *why = limited ? disk_hindrance(lab, s.disk) : NULL;
    if (why) lab_skip(lab, "a slow disk", why);
    if (why || !is_possible(lab, server, connections)) return;
    if (limited) s.limited = lab_number(lab, "limited");
    snprintf(root, sizeof root, "%.*s", (int)(strrchr(file->path, '/') - file->path), file->path);
    snprintf(hot, sizeof hot, "%s", below(root, file->path));
    snprintf(cold, sizeof cold, "%s/", below(root, files->path));
    if (readers) snprintf(large, sizeof large, "%s", below(root, lab_file(lab, LARGE_BYTES)->path));
    /* A connection that is being closed still counts, so there is room for as many again. */
    uint64_t held = kept ? connections : 2 * connections + lab_number(lab, "slow") + BESIDE;
    uint64_t under_way = lab_number(lab, "under_way");
    s.child_plan = (struct child_plan){
        .server = server->name,
        .root = root,
        .cpu = cpu[0],
        .at_most = (unsigned)(paced && server->is_pool ? lab_number(lab, "pool") : held)};
    s.load_plan = (struct load_plan){
        .path = hot,
        .connections = (unsigned)connections,
        .under_way = (unsigned)(under_way < connections ? under_way : connections),
        .rate = paced ? (double)lab_number(lab, "rate") : 0,
        .reconnects = anew,
        .primed = kept || (paced && !slow && !readers),
        .slow = slow || readers ? (unsigned)lab_number(lab, "slow") : 0,
        .slow_path = readers ? large : NULL,
        .beside = disk || !strcmp(load, "compute") ? BESIDE : 0,
        .beside_path = disk ? cold : "/compute",
        .beside_paths = disk ? COLD_FILES : 0};
    struct work work = {.context = &s,
                        .open = serving_open,
                        .run = serving_run,
                        .close = serving_close,
                        .data = disk ? files : NULL,
                        .cache = disk ? CACHE_COLD : CACHE_AS_IT_IS,
                        .no_warm_up = true};
    char predicted[24] = "";
    if (kept) snprintf(predicted, sizeof predicted, "%u", server->predicted_bytes);
    lab_measure(lab, &work,
                "server=%s load=%s connections=%" PRIu64 " prediction=%s predicted_bytes=%s",
                server->name, load, connections, prediction, predicted);
}

static void load_walk(struct lab *lab, const char *load)
{
    uint64_t connections[LIST] = {PACED};
    const char *chosen[LIST];
    bool kept = !strcmp(load, "kept");
    unsigned counts = kept ? lab_numbers(lab, "connections", connections, LIST) : 1;
    unsigned many = lab_words(lab, "servers", chosen, LIST);
    if (!strcmp(load, "new")) connections[0] = lab_number(lab, "under_way");
    for (unsigned c = 0; c < counts; c++) {
        connections[c] = connections_possible(lab, connections[c]);
        for (unsigned i = 0; i < many; i++) {
            const struct server *server = servers;
            while (server->name && strcmp(server->name, chosen[i]) != 0)
                server++;
            const char *why = server->name ? hindrance(server) : "there is no such server";
            if (why)
                lab_skip(lab, chosen[i], why);
            else if (connections[c] > 0)
                serving_measure(lab, server, load, connections[c]);
        }
    }
}

static void run(struct lab *lab)
{
    static const char *const known[] = {"kept",    "new",  "alone",   "slow",
                                        "readers", "disk", "limited", "compute"};
    enum { KNOWN = sizeof known / sizeof *known };
    const char *load[LIST];
    unsigned loads = lab_words(lab, "loads", load, LIST);
    for (unsigned l = 0; l < loads; l++) {
        bool is_known = false;
        for (unsigned k = 0; k < KNOWN; k++)
            is_known |= !strcmp(known[k], load[l]);
        if (is_known)
            load_walk(lab, load[l]);
        else
            lab_skip(lab, load[l], "there is no such load");
    }
}

static const struct experiment servers_experiment = {
    .number = 15,
    .name = "servers",
    .title = "Server models",
    .question = "A process, a thread, or a place in a loop for each connection: what does this "
                "decide, and when does it matter?",
    .expectation = "Each row has its prediction first. A loop stays flat over the number of "
                   "connections and needs least memory. A process for each connection costs most, "
                   "above all when it is started. Slow clients block a pool and nobody else. A "
                   "plain loop stands still for a cold file and for a computation (Stevens, UNIX "
                   "Network Programming, chapter 30; Kegel, The C10K problem).",
    .floor = "any Linux; io_uring from 6.0 on",
    .full_minutes = 5.8,
    .quick_minutes = 0.6,
    .figure = "iops",
    .factors = factors,
    .figures = figures,
    .parameters = parameters,
    .plots = plots,
    .run = run,
    .find = servers_find,
};
EXPERIMENT(servers_experiment);
