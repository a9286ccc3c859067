/* Where CPUs are, and two threads that talk to each other. */
#include "placement_work.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, STACK_BYTES = 256 << 10 };

/* ---- CPUs -------------------------------------------------------------------------------------- */

static int topology_number(int cpu, const char *name)
{
    char path[128];
    int number = -1;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, name);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    if (fscanf(file, "%d", &number) != 1) number = -1;
    fclose(file);
    return number;
}

static int node_of(int cpu)
{
    char path[96];
    for (int node = 0; node < 64; node++) {
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/node%d", cpu, node);
        if (access(path, F_OK) == 0) return node;
    }
    return 0;
}

static enum distance distance_of(int a, int b)
{
    if (a == b) return SAME_CPU;
    if (node_of(a) != node_of(b)) return OTHER_NODE;
    bool package =
        topology_number(a, "physical_package_id") == topology_number(b, "physical_package_id");
    bool core = topology_number(a, "core_id") == topology_number(b, "core_id") &&
                topology_number(a, "core_id") >= 0;
    return package && core ? SIBLING : OTHER_CORE;
}

int cpu_at(int cpu, enum distance distance)
{
    int list[PLACE_CPUS_MAX];
    unsigned count = lab_cpus(list, PLACE_CPUS_MAX);
    for (unsigned i = 0; i < count; i++)
        if (distance_of(cpu, list[i]) == distance) return list[i];
    return -1;
}

int cpu_pin(int cpu)
{
    cpu_set_t set;
    if (cpu < 0) return 0;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* ---- two threads ------------------------------------------------------------------------------- */

static void turn_wait(struct trip *x, uint32_t mine)
{
    static const struct timespec limit = {.tv_nsec = 100000000};
    uint32_t other = !mine;
    syscall(SYS_futex, &x->turn, FUTEX_WAIT_PRIVATE, other, &limit, NULL, 0);
}

/* Waits until it is the turn of this side: spinning, or asleep. Returns false when the time is over. */
static bool turn_await(struct trip *x, uint32_t mine, uint64_t deadline)
{
    bool spins = !strcmp(x->means, "spin");
    for (unsigned round = 1; x->turn != mine; round++) {
        if (!spins) turn_wait(x, mine);
        bool look = !spins || round % 1024 == 0;
        if (look && (x->over || measure_now() > deadline)) return false;
    }
    return true;
}

static void turn_pass(struct trip *x, uint32_t other)
{
    x->turn = other;
    if (!strcmp(x->means, "futex"))
        syscall(SYS_futex, &x->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *partner_main(void *context)
{
    struct trip *x = context;
    measure_thread_begin();
    cpu_pin(x->cpu[1]);
    if (!strcmp(x->means, "stream")) {
        while (read(x->there[0], x->partner_chunk, CHUNK) > 0) {
        }
    } else if (!strcmp(x->means, "pipe")) {
        char token;
        while (read(x->there[0], &token, 1) == 1 && write(x->back[1], &token, 1) == 1) {
        }
    } else {
        while (!x->over && turn_await(x, 1, UINT64_MAX))
            turn_pass(x, 0);
    }
    return NULL;
}

static int pin_first(bool *pinned, cpu_set_t *before, int cpu)
{
    if (cpu < 0) return 0;
    *pinned = pthread_getaffinity_np(pthread_self(), sizeof *before, before) == 0;
    return cpu_pin(cpu);
}

int trip_open(void *context)
{
    struct trip *x = context;
    pthread_attr_t small;
    memset(&x->turn, 0, sizeof *x - offsetof(struct trip, turn));
    x->there[0] = x->there[1] = x->back[0] = x->back[1] = -1;
    x->chunk = calloc(2, CHUNK);
    if (!x->chunk) return -ENOMEM;
    memset(x->chunk, 1, 2 * CHUNK);
    x->partner_chunk = x->chunk + CHUNK;
    if (pipe2(x->there, O_CLOEXEC) < 0 || pipe2(x->back, O_CLOEXEC) < 0) return -errno;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    int result = -pthread_create(&x->partner, &small, partner_main, x);
    pthread_attr_destroy(&small);
    x->partner_started = result == 0;
    return result < 0 ? result : pin_first(&x->pinned, &x->before, x->cpu[0]);
}

void trip_close(void *context)
{
    struct trip *x = context;
    x->over = true;
    syscall(SYS_futex, &x->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); /* so that it looks */
    if (x->there[1] >= 0) close(x->there[1]); /* the partner then reads the end */
    if (x->partner_started) pthread_join(x->partner, NULL);
    if (x->there[0] >= 0) close(x->there[0]);
    if (x->back[0] >= 0) close(x->back[0]);
    if (x->back[1] >= 0) close(x->back[1]);
    if (x->pinned) pthread_setaffinity_np(pthread_self(), sizeof x->before, &x->before);
    free(x->chunk);
    x->chunk = NULL;
}

/* Goes there and back; for a stream, sends one piece. */
static int trip_once(struct trip *x, uint64_t now)
{
    char token = 1;
    if (!strcmp(x->means, "stream")) return write(x->there[1], x->chunk, CHUNK) == CHUNK ? 0 : -EIO;
    if (!strcmp(x->means, "pipe"))
        return write(x->there[1], &token, 1) == 1 && read(x->back[0], &token, 1) == 1 ? 0 : -EIO;
    turn_pass(x, 1);
    return turn_await(x, 0, now + 5 * NS_PER_S) ? 0 : -ETIMEDOUT;
}

int trip_run(void *context, struct measure *m)
{
    struct trip *x = context;
    bool stream = !strcmp(x->means, "stream");
    int result = trip_once(x, measure_now()); /* the partner is there */
    measure_restart(m);
    uint64_t now = measure_now();
    while (result == 0) {
        result = trip_once(x, now);
        if (result == 0) now = tally_add(&m->tally, now, stream ? CHUNK : 1);
        if (measure_over(m, now)) break;
    }
    unsigned each = !strcmp(x->means, "spin") ? 0 : stream ? 2 : 4; /* calls of both sides */
    m->tally.calls = each * m->tally.operations;
    return result;
}
