/* Servers as children: starting and ending them, and what /proc says about them. */
#include "servers_child.h"

#include "../measure.h"
#include "server_minimal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_NS (10 * NS_PER_S)

static const struct {
    const char *name;
    void (*serve)(int listener, int root, unsigned at_most);
} minimal[] = {{"min-fork", minimal_fork_serve},
               {"min-thread", minimal_thread_serve},
               {"min-loop", minimal_loop_serve}};
enum { MINIMAL = sizeof minimal / sizeof *minimal };

bool child_is_zcserve(const char *server)
{
    for (unsigned i = 0; i < MINIMAL; i++)
        if (!strcmp(minimal[i].name, server)) return false;
    return true;
}

const char *child_zcserve(void)
{
    static char path[512];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
    if (length <= 0) return NULL;
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, "zcserve");
    return access(path, X_OK) == 0 ? path : NULL;
}

uint64_t child_descriptors(uint64_t wanted)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) return 0;
    if (files.rlim_cur >= wanted) return files.rlim_cur;
    struct rlimit more = {wanted, files.rlim_max > wanted ? files.rlim_max : wanted};
    return setrlimit(RLIMIT_NOFILE, &more) == 0 ? wanted : files.rlim_cur;
}

/* ---- starting ---------------------------------------------------------------------------------- */

/*
 * In the child: sets up a process group of its own, its control group, one CPU, and that it ends when zclab
 * ends.
 */
static void become_server(pid_t parent, const struct child_plan *plan)
{
    int cpu = plan->cpu;
    cpu_set_t set;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    if (plan->group && control_group_add(plan->group, getpid()) < 0) _exit(1);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (cpu < 0) return;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static int listener_open(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* connections inherit it */
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
        int result = -errno;
        close(fd);
        return result;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static int minimal_start(struct child *child, const struct child_plan *plan)
{
    int listener = listener_open(&child->port), i = 0;
    int root = open(plan->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    pid_t self = getpid(), pid = listener >= 0 && root >= 0 ? fork() : -1;
    int result = listener < 0 ? listener : pid < 0 ? -errno : 0;
    if (pid == 0) {
        become_server(self, plan);
        dup2(root, 198); /* below 200 no other descriptor of zclab is left open */
        dup2(listener, 199);
        close_range(3, 197, 0);
        close_range(200, ~0U, 0);
        while (strcmp(minimal[i].name, plan->server) != 0)
            i++;
        minimal[i].serve(199, 198, plan->at_most);
        _exit(1);
    }
    if (pid > 0) setpgid(pid, pid);
    if (pid > 0) child->group = pid;
    if (listener >= 0) close(listener);
    if (root >= 0) close(root);
    return result;
}

enum { WORDS_MAX = 2 * CHILD_OPTIONS_MAX + 36 };

/*
 * Options of a model for so many connections. Pools watch no directories: the kernel has too few watches
 * for all of them.
 */
static const struct {
    const char *model, *option, *value; /* NULL: as many as there are connections */
} sized[] = {{"prefork", "prefork.processes", NULL},
             {"prefork", "prefork.start", NULL},
             {"prefork", "prefork.spare_max", NULL},
             {"prefork", "cache.watches", "0"},
             {"threadpool", "threadpool.threads", NULL},
             {"threadpool", "cache.watches", "0"},
             {"epoll", "connections", NULL},
             {"epoll", "cache.descriptors", "32"},
             {"io_uring", "connections", NULL},
             {"io_uring", "cache.descriptors", "32"}};
enum { SIZED = sizeof sized / sizeof *sized };

static void words_put(const struct child_plan *plan, const char *word[WORDS_MAX],
                      char made[SIZED][64])
{
    unsigned used = 0;
    word[used++] = child_zcserve();
    if (plan->configuration) word[used++] = "-c";
    if (plan->configuration) word[used++] = plan->configuration;
    const char *const always[] = {
        "-l", "127.0.0.1:0",     "-m", plan->server,       "-w", "1",
        "-o", "status=off",      "-o", "error_log=stderr", "-o", "access_log=off",
        "-o", "log_level=notice"};
    for (unsigned i = 0; i < sizeof always / sizeof *always; i++)
        word[used++] = always[i];
    for (unsigned i = 0; plan->at_most > 0 && i < SIZED; i++) {
        if (strcmp(sized[i].model, plan->server) != 0) continue;
        if (sized[i].value)
            snprintf(made[i], sizeof made[i], "%s=%s", sized[i].option, sized[i].value);
        else
            snprintf(made[i], sizeof made[i], "%s=%u", sized[i].option, plan->at_most);
        word[used++] = "-o";
        word[used++] = made[i];
    }
    for (unsigned i = 0; i < CHILD_OPTIONS_MAX && plan->option[i]; i++) {
        word[used++] = "-o";
        word[used++] = plan->option[i];
    }
    if (plan->root) word[used++] = plan->root;
    word[used] = NULL;
}

/* Waits for the port: it is in the line "serving DIR at http://127.0.0.1:PORT/". */
static int port_await(struct child *child)
{
    char text[8192];
    size_t have = 0;
    for (uint64_t until = measure_now() + LIMIT_NS; measure_now() < until && !measure_stopped;) {
        struct pollfd ready = {.fd = child->said, .events = POLLIN};
        if (poll(&ready, 1, 100) <= 0) continue;
        ssize_t got = read(child->said, text + have, sizeof text - 1 - have);
        if (got <= 0) return -ECHILD;
        have += (size_t)got;
        text[have] = '\0';
        const char *at = strstr(text, "http://127.0.0.1:");
        unsigned port = 0;
        char end = '\0';
        if (at && sscanf(at, "http://127.0.0.1:%u%c", &port, &end) == 2 && end == '/') {
            child->port = (uint16_t)port;
            return 0;
        }
        if (have > sizeof text / 2) { /* warnings came before it */
            memmove(text, text + have / 2, have - have / 2);
            have -= have / 2;
        }
    }
    return measure_stopped ? -EINTR : -ETIMEDOUT;
}

static int zcserve_start(struct child *child, const struct child_plan *plan)
{
    char made[SIZED][64];
    const char *word[WORDS_MAX];
    int said[2];
    if (!child_zcserve()) return -ENOENT;
    words_put(plan, word, made);
    if (pipe2(said, O_CLOEXEC) < 0) return -errno;
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        become_server(self, plan);
        dup2(null, 0);
        dup2(null, 1);
        dup2(said[1], 2);
        close_range(3, ~0U, 0);
        signal(SIGPIPE, SIG_DFL);
        execv(word[0], (char *const *)(uintptr_t)word);
        _exit(127);
    }
    int result = pid < 0 ? -errno : 0;
    close(said[1]);
    child->said = said[0];
    if (pid < 0) return result;
    setpgid(pid, pid);
    child->group = pid;
    return port_await(child);
}

int child_start(struct child *child, const struct child_plan *plan)
{
    *child = (struct child){.said = -1};
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* the processes of a killed server are waited for here */
    return child_is_zcserve(plan->server) ? zcserve_start(child, plan) : minimal_start(child, plan);
}

void child_stop(struct child *child)
{
    if (child->group > 0) {
        kill(-child->group, SIGKILL);
        for (uint64_t until = measure_now() + LIMIT_NS; measure_now() < until;) {
            pid_t ended = waitpid(-child->group, NULL, WNOHANG);
            if (ended < 0) break;
            if (ended == 0) poll(NULL, 0, 1);
        }
    }
    if (child->said >= 0) close(child->said);
    *child = (struct child){.said = -1};
}

/* ---- what /proc says ---------------------------------------------------------------------------- */

static double memory_of(const char *pid)
{
    char path[64], line[128];
    double kib = 0;
    snprintf(path, sizeof path, "/proc/%.16s/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lf", &kib) == 1) break;
    fclose(file);
    return kib * 1024;
}

/* Returns the exact CPU time of a process, with its threads that have ended. */
static double cpu_of(pid_t pid)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) < 0) return 0;
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Adds one process if it belongs to this group. Children for which it has waited count as its own. */
static void process_add(struct child_use *use, pid_t group, const char *pid, bool memory)
{
    char path[64], line[512];
    long of = 0, threads = 0;
    double minor, minor_of, major, major_of, user, kernel, user_of, kernel_of;
    double hz = (double)sysconf(_SC_CLK_TCK);
    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file) return;
    char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (!end ||
        sscanf(end + 1, " %*c %*d %ld %*d %*d %*d %*u %lf %lf %lf %lf %lf %lf %lf %lf %*d %*d %ld",
               &of, &minor, &minor_of, &major, &major_of, &user, &kernel, &user_of, &kernel_of,
               &threads) != 10 ||
        of != group)
        return;
    use->processes++;
    use->threads += (unsigned)threads;
    use->user_s += (user + user_of) / hz;
    use->kernel_s += (kernel + kernel_of) / hz;
    use->cpu_s += cpu_of((pid_t)atol(pid)) + (user_of + kernel_of) / hz;
    use->minor_faults += minor + minor_of;
    use->major_faults += major + major_of;
    if (memory) use->memory_bytes += memory_of(pid);
}

struct child_use child_use_read(const struct child *child, bool memory)
{
    struct child_use use = {.read_ns = measure_now()};
    DIR *processes = child->group > 0 ? opendir("/proc") : NULL;
    struct dirent *entry;
    while (processes && (entry = readdir(processes)))
        if (isdigit((unsigned char)entry->d_name[0]))
            process_add(&use, child->group, entry->d_name, memory);
    if (processes) closedir(processes);
    use.read_ns += (measure_now() - use.read_ns) / 2;
    return use;
}
