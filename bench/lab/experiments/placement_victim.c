/* One thread beside neighbours, and where the interrupts of a device arrive. */
#include "placement_work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOG_BYTES = 1 << 20, STACK_BYTES = 256 << 10, SLEEP_NS = 200000, ROUNDS = 20000 };

/* ---- interrupts -------------------------------------------------------------------------------- */

/* Parts of a device's path that /proc/interrupts may name: "virtio1", "nvme0", "0000:00:02.0". */
static bool is_named_there(const char *part)
{
    unsigned a, b, c, d;
    return !strncmp(part, "virtio", 6) || !strncmp(part, "nvme", 4) ||
           sscanf(part, "%x:%x:%x.%x", &a, &b, &c, &d) == 4;
}

/* Returns whether a line names this part, not virtio10 for virtio1. */
static bool line_names(const char *line, const char *part)
{
    size_t length = strlen(part);
    for (const char *at = strstr(line, part); at; at = strstr(at + 1, part))
        if (at[length] < '0' || at[length] > '9') return true;
    return false;
}

static bool line_is_of(const char *line, const char *device_path)
{
    char path[PATH_MAX], *rest = path;
    snprintf(path, sizeof path, "%s", device_path);
    for (char *part = strsep(&rest, "/"); part; part = strsep(&rest, "/"))
        if (is_named_there(part) && line_names(line, part)) return true;
    return false;
}

/* Adds the numbers of one line, "36: 0 8077168 PCI-MSIX…", in the order of the CPUs of the first line. */
static void line_add(char *line, const int *cpu, unsigned cpus, double into[PLACE_CPUS_MAX])
{
    char *at = strchr(line, ':'), *end;
    at = at ? at + 1 : line;
    for (unsigned i = 0; i < cpus; i++, at = end) {
        double count = strtod(at, &end);
        if (end == at) return;
        if (cpu[i] >= 0 && cpu[i] < PLACE_CPUS_MAX) into[cpu[i]] += count;
    }
}

static unsigned cpus_of(char *line, int *cpu)
{
    unsigned count = 0;
    for (char *word = strsep(&line, " \n"); word; word = strsep(&line, " \n"))
        if (count < PLACE_CPUS_MAX && sscanf(word, "CPU%d", &cpu[count]) == 1) count++;
    return count;
}

bool interrupts_read(const char *device, double into[PLACE_CPUS_MAX])
{
    char link[96], path[PATH_MAX], *line = NULL;
    int cpu[PLACE_CPUS_MAX];
    size_t room = 0;
    bool any = false;
    memset(into, 0, PLACE_CPUS_MAX * sizeof *into);
    snprintf(link, sizeof link, "/sys/class/block/%.60s", device);
    FILE *file = realpath(link, path) ? fopen("/proc/interrupts", "re") : NULL;
    unsigned cpus = file && getline(&line, &room, file) > 0 ? cpus_of(line, cpu) : 0;
    while (cpus > 0 && getline(&line, &room, file) > 0) {
        if (!line_is_of(line, path)) continue;
        any = true;
        line_add(line, cpu, cpus, into);
    }
    free(line);
    if (file) fclose(file);
    return any;
}

/* ---- neighbours -------------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t z, unsigned rounds)
{
    while (rounds-- > 0) {
        z ^= z << 13;
        z ^= z >> 7;
        z ^= z << 17;
    }
    return z;
}

static void *cpu_hog_main(void *context)
{
    struct victim *x = context;
    volatile uint64_t sink = 1;
    measure_thread_begin();
    cpu_pin(x->hog_cpu);
    x->hogs_begun++;
    while (!x->over)
        sink = mixed(sink, 1000);
    return NULL;
}

/* Reads the second half of the file in pieces of 1 MiB. */
static void *disk_hog_main(void *context)
{
    struct victim *x = context;
    unsigned number = x->hogs_begun++;
    measure_thread_begin();
    uint64_t half = x->data->bytes / 2, blocks = half / HOG_BYTES;
    for (uint64_t i = number; !x->over && blocks > 0; i += HOGS_MAX)
        if (pread(x->fd, x->hog_buffer[number % HOGS_MAX], HOG_BYTES,
                  (off_t)(half + i % blocks * HOG_BYTES)) < 0)
            break;
    return NULL;
}

static int hog_start(struct victim *x, void *(*body)(void *))
{
    pthread_attr_t small;
    x->hog_buffer[x->hogs] = aligned_alloc(4096, HOG_BYTES);
    if (!x->hog_buffer[x->hogs]) return -ENOMEM;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    int result = -pthread_create(&x->hog[x->hogs], &small, body, x);
    pthread_attr_destroy(&small);
    if (result == 0) x->hogs++;
    return result;
}

int victim_open(void *context)
{
    struct victim *x = context;
    memset(&x->over, 0, sizeof *x - offsetof(struct victim, over));
    x->fd = -1;
    x->random = 1;
    x->buffer = aligned_alloc(4096, READ_BYTES);
    if (!x->buffer) return -ENOMEM;
    if (x->data) {
        x->fd = open(x->data->path, O_RDONLY | O_DIRECT | O_CLOEXEC);
        if (x->fd < 0) return -errno;
    }
    int result = 0;
    if (x->hog_cpu >= 0) result = hog_start(x, cpu_hog_main);
    for (unsigned i = 0; x->hog_disk && i < HOGS_MAX && result == 0; i++)
        result = hog_start(x, disk_hog_main);
    if (result < 0 || x->cpu < 0) return result;
    x->pinned = pthread_getaffinity_np(pthread_self(), sizeof x->before, &x->before) == 0;
    return cpu_pin(x->cpu);
}

void victim_close(void *context)
{
    struct victim *x = context;
    x->over = true;
    if (x->pinned) pthread_setaffinity_np(pthread_self(), sizeof x->before, &x->before);
    for (unsigned i = 0; i < x->hogs; i++)
        pthread_join(x->hog[i], NULL);
    for (unsigned i = 0; i < HOGS_MAX; i++)
        free(x->hog_buffer[i]);
    if (x->fd >= 0) close(x->fd);
    free(x->buffer);
    x->buffer = NULL;
}

/* ---- the victim -------------------------------------------------------------------------------- */

/* Does one operation. `took` is its latency, where that is not the time since the one before. */
static int victim_once(struct victim *x, uint64_t *took, uint64_t *bytes)
{
    if (!strcmp(x->work, "compute")) {
        x->random = mixed(x->random, ROUNDS) | 1;
        return 0;
    }
    if (!strcmp(x->work, "wake")) {
        uint64_t due = measure_now() + SLEEP_NS;
        struct timespec at = {.tv_sec = (time_t)(due / NS_PER_S),
                              .tv_nsec = (long)(due % NS_PER_S)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        uint64_t now = measure_now();
        *took = now > due ? now - due : 0;
        return 0;
    }
    uint64_t blocks = x->data->bytes / 2 / READ_BYTES;
    x->random = x->random * 6364136223846793005U + 1442695040888963407U;
    off_t at = (off_t)((x->random >> 33) % blocks * READ_BYTES);
    *bytes = READ_BYTES;
    ssize_t got = pread(x->fd, x->buffer, READ_BYTES, at);
    return got == READ_BYTES ? 0 : got < 0 ? -errno : -EIO;
}

/* Sets the share of the device's interrupts that arrived meanwhile on the CPU of this thread. */
static void interrupts_set(const struct victim *x, struct measure *m,
                           const double before[PLACE_CPUS_MAX])
{
    static double after[PLACE_CPUS_MAX];
    double here = 0, all = 0;
    if (!x->device || x->cpu < 0 || !interrupts_read(x->device, after)) return;
    for (int cpu = 0; cpu < PLACE_CPUS_MAX; cpu++) {
        all += after[cpu] - before[cpu];
        if (cpu == x->cpu) here = after[cpu] - before[cpu];
    }
    if (all > 0) measure_figure(m, "interrupts_here", here / all);
}

int victim_run(void *context, struct measure *m)
{
    static double before[PLACE_CPUS_MAX];
    struct victim *x = context;
    struct timespec while_they_begin = {.tv_nsec = 1000000};
    for (unsigned i = 0; x->hogs_begun < x->hogs && i < 1000; i++)
        nanosleep(&while_they_begin, NULL);
    if (x->device) interrupts_read(x->device, before);
    measure_restart(m); /* the neighbours are running */
    uint64_t now = measure_now();
    do {
        uint64_t took = 0, bytes = 0, begun = now;
        int result = victim_once(x, &took, &bytes);
        if (result < 0) return result;
        now = measure_now();
        tally_latency(&m->tally, took ? took : now - begun, bytes);
    } while (!measure_over(m, now));
    m->tally.calls = !strcmp(x->work, "compute") ? 0 : m->tally.operations;
    interrupts_set(x, m, before);
    return 0;
}
