/* System calls of this process, counted by the kernel where it permits that. */
#include "calls.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int counter = -1;
static double own; /* calls that the counting itself makes between two readings */

static unsigned long long tracepoint_id(void)
{
    static const char *const path[] = {
        "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
        "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id"};
    unsigned long long id = 0;
    for (unsigned i = 0; i < 2 && id == 0; i++) {
        FILE *file = fopen(path[i], "re");
        if (!file) continue;
        if (fscanf(file, "%llu", &id) != 1) id = 0;
        fclose(file);
    }
    return id;
}

bool calls_open(const char **why_not)
{
    struct perf_event_attr wanted = {.type = PERF_TYPE_TRACEPOINT,
                                     .size = sizeof wanted,
                                     .inherit = 1,
                                     .config = tracepoint_id()};
    if (counter >= 0) return true;
    *why_not = "tracefs is not mounted or may not be read";
    if (wanted.config == 0) return false;
    counter = (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    *why_not = counter < 0 ? strerror(errno) : "";
    if (counter < 0) return false;
    double first = calls_read();
    own = calls_read() - first;
    return true;
}

double calls_read(void)
{
    static double readings;
    uint64_t count;
    if (counter < 0 || read(counter, &count, sizeof count) != sizeof count) return -1;
    return (double)count - own * readings++;
}
