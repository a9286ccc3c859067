/* Reads the configuration as zcserve does, and runs zcserve with and without a proposal. */
#include "advise.h"

#include "experiments/servers_child.h"
#include "experiments/servers_load.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIST_MAX = 4096, TARGET_MAX = 300, CONNECTIONS = 32 };
static const struct {
    unsigned repetitions, each_ms;
} scales[] = {{7, 500}, {5, 150}, {2, 40}};

/* ---- the configuration -------------------------------------------------------------------------- */

/* Runs zcserve -T. Its errors go to our standard error. */
static pid_t printer_start(const char *configuration, const char *directory, int *from)
{
    int pipe_end[2];
    const char *word[6] = {child_zcserve(), "-T"};
    unsigned used = 2;
    if (configuration) word[used++] = "-c";
    if (configuration) word[used++] = configuration;
    word[used] = directory;
    if (pipe2(pipe_end, O_CLOEXEC) < 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipe_end[1], 1);
        execv(word[0], (char *const *)(uintptr_t)word);
        _exit(127);
    }
    close(pipe_end[1]);
    *from = pipe_end[0];
    if (pid < 0) close(pipe_end[0]);
    return pid;
}

int advise_now_read(struct advise_now *now, const char *configuration, const char *directory)
{
    char section[32] = "", line[1024];
    cpu_set_t cpus;
    int from = -1, status = 0;
    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof cpus, &cpus);
    *now = (struct advise_now){.workers = (unsigned)CPU_COUNT(&cpus)};
    pid_t pid = printer_start(configuration, directory, &from);
    if (pid < 0) return -errno;
    FILE *file = fdopen(from, "r");
    while (file && fgets(line, sizeof line, file))
        advise_now_line(now, section, line);
    if (file) fclose(file);
    waitpid(pid, &status, 0);
    if (status != 0 || !now->model[0] || now->file_max == 0) {
        fprintf(stderr, "zclab: zcserve -T does not print a configuration\n");
        return -EINVAL;
    }
    return 0;
}

/* ---- serving ------------------------------------------------------------------------------------ */

/* Writes a path as a request target: "/a%20b". Returns NULL when it is too long. */
static char *target_make(const char *path)
{
    char *target = malloc(TARGET_MAX), *to = target;
    if (!target) return NULL;
    *to++ = '/';
    for (; *path && to < target + TARGET_MAX - 4; path++) {
        bool plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
                     (*path >= '0' && *path <= '9') || strchr("/-_.~", *path);
        to += sprintf(to, plain ? "%c" : "%%%02X", (unsigned char)*path);
    }
    *to = '\0';
    if (!*path) return target;
    free(target);
    return NULL;
}

/* Makes targets of the files that the proposal affects, spread over their sizes. Returns how many. */
static unsigned targets_make(const struct site *site, const struct proposal *p,
                             char *list[LIST_MAX])
{
    unsigned fitting = site_between(site, p->above, p->up_to), count = 0, seen = 0;
    unsigned step = fitting / LIST_MAX + 1;
    for (unsigned i = 0; i < site->count && count < LIST_MAX; i++) {
        if (site->file[i].bytes <= p->above || site->file[i].bytes > p->up_to) continue;
        if (seen++ % step == 0 && (list[count] = target_make(site->file[i].path))) count++;
    }
    return count;
}

/* Serves once, and measures the CPU of one request in µs and requests/s. */
static int serve_once(const struct child_plan *server, char *const *list, unsigned listed,
                      unsigned ms, double *cpu_us, double *per_s)
{
    static struct measure m;
    struct child child;
    struct load *load = NULL;
    struct load_result r = {0};
    struct load_plan plan = {.list = (const char *const *)list,
                             .listed = listed,
                             .connections = CONNECTIONS,
                             .under_way = CONNECTIONS,
                             .primed = true};
    int result = child_start(&child, server);
    plan.port = child.port;
    if (result == 0) result = load_open(&load, &plan);
    if (result == 0) { /* not measured: afterwards the server has in memory what it keeps */
        m = (struct measure){.deadline_ns = measure_now() + ms * UINT64_C(1000000) / 2};
        result = load_run(load, &m, &r);
    }
    if (result == 0) {
        struct child_use from = child_use_read(&child, false);
        m = (struct measure){.deadline_ns = measure_now() + ms * UINT64_C(1000000)};
        result = load_run(load, &m, &r);
        struct child_use to = child_use_read(&child, false);
        if (result == 0 && r.answered == 0) result = -ENODATA;
        *cpu_us = (to.cpu_s - from.cpu_s) * 1e6 / (double)(r.answered ? r.answered : 1);
        *per_s = (double)r.answered / r.seconds;
    }
    load_close(load);
    child_stop(&child);
    return result;
}

int advise_serve(struct advise_check *check, const struct proposal *proposal,
                 const struct advise_now *now, const struct site *site,
                 const struct options *options)
{
    static char *list[LIST_MAX];
    char with[64], without[64], share[24];
    int cpu[2] = {-1, -1}, result = 0;
    cpu_set_t before, mine;
    bool is_model = !strcmp(proposal->option, "model");
    unsigned listed = targets_make(site, proposal, list);
    *check = (struct advise_check){0};
    if (listed == 0) return -ENODATA;
    sched_getaffinity(0, sizeof before, &before);
    for (int c = 0, found = 0; c < CPU_SETSIZE && found < 2; c++)
        if (CPU_ISSET((size_t)c, &before)) cpu[found++] = c;
    CPU_ZERO(&mine);
    CPU_SET((size_t)(cpu[1] < 0 ? cpu[0] : cpu[1]), &mine);
    sched_setaffinity(0, sizeof mine, &mine);
    snprintf(with, sizeof with, "%s=%s", proposal->option, proposal->value);
    snprintf(without, sizeof without, "%s=%s", proposal->option, proposal->now);
    if (!strcmp(proposal->option, "cache.size")) { /* one worker has its share of it */
        double bytes[2] = {0, 0};
        sscanf(proposal->value, "%lf", &bytes[0]);
        snprintf(with, sizeof with, "cache.size=%.0fm", bytes[0] / now->workers + 1);
        snprintf(without, sizeof without, "cache.size=%s",
                 advise_size(share, now->cache_bytes / now->workers));
    }
    for (unsigned r = 0; r < scales[options->scale].repetitions && result == 0; r++)
        for (int on = 0; on < 2 && result == 0; on++) {
            struct child_plan plan = {.server = is_model ? (on ? proposal->value : proposal->now)
                                                         : now->model,
                                      .root = site->directory,
                                      .cpu = cpu[0],
                                      .configuration = options->configuration,
                                      .option = {on ? with : without}};
            double cpu_us = 0, per_s = 0;
            result =
                serve_once(&plan, list, listed, scales[options->scale].each_ms, &cpu_us, &per_s);
            if (measure_stopped) result = -EINTR;
            struct sample *cpus = on ? &check->cpu_with : &check->cpu_without;
            struct sample *rates = on ? &check->per_s_with : &check->per_s_without;
            cpus->value[cpus->count++] = cpu_us;
            rates->value[rates->count++] = per_s;
        }
    sched_setaffinity(0, sizeof before, &before);
    for (unsigned i = 0; i < listed; i++)
        free(list[i]);
    return result;
}
