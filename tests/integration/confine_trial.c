/*
 * A process that tries what it should not be able to do. It is loaded before the server (LD_PRELOAD), which is
 * otherwise the program as it is shipped, and does nothing until a process gets the signal SIGRTMIN+4. Then this
 * process, confined as it is, tries everything below, and writes a line about each to standard error:
 *
 *     trial 4711 execve: 38
 *
 * The number is the errno, 0 for success. tests/integration/confine.py has what is expected.
 * TRIAL_FILES_ALONE: only files are tried, because without the sandbox execve would succeed.
 * TRIAL_ROOT is the directory that is served, with a file a.txt; TRIAL_OUTSIDE is a file that is not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <liburing.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char inside[4096], new_file[4096];
static const char *root, *outside;
static struct io_uring *ring; /* the last one that this process or its parent opened */
static pid_t ring_opener;

static void say(const char *name, long result)
{
    char line[128];
    int length = snprintf(line, sizeof(line), "trial %d %s: %d\n", (int)getpid(), name,
                          result < 0 ? errno : 0);
    if (write(STDERR_FILENO, line, (size_t)length) < 0) return;
}

#define TRY(name, call)             \
    do {                            \
        errno = 0;                  \
        long result = (long)(call); \
        say(name, result);          \
    } while (0)

static long open_by(const char *path, uint64_t flags)
{
    struct open_how how = {.flags = flags, .mode = flags & O_CREAT ? 0600 : 0};
    return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static void files_try(void)
{
    TRY("open inside", open(inside, O_RDONLY));
    TRY("openat2 inside", open_by(inside, O_RDONLY));
    TRY("open outside", open(outside, O_RDONLY));
    TRY("openat2 outside", open_by(outside, O_RDONLY));
    TRY("openat2 directory /", open_by("/", O_RDONLY | O_DIRECTORY));
    TRY("open to write", open(inside, O_WRONLY));
    TRY("openat2 to write", open_by(inside, O_WRONLY));
    TRY("open to create", open(new_file, O_WRONLY | O_CREAT, 0600));
    TRY("openat2 to create", open_by(new_file, O_WRONLY | O_CREAT));
    TRY("open nameless", open(root, O_TMPFILE | O_RDWR, 0600));
    TRY("truncate", truncate(inside, 0));
    TRY("unlink", unlink(inside));
    TRY("rename", rename(inside, new_file));
    TRY("link", link(inside, new_file));
    TRY("symlink", symlink("/", new_file));
    TRY("mkdir", mkdir(new_file, 0700));
    TRY("chmod", chmod(inside, 0777));
    TRY("chown", chown(inside, 0, 0));
    TRY("log loses O_APPEND", fcntl(STDERR_FILENO, F_SETFL, 0));
    TRY("ftruncate", ftruncate(STDERR_FILENO, 0));
    TRY("memfd_create", memfd_create("trial", 0));
}

/* Standard error is no socket: ENOTSOCK means that the sandbox would let it pass. */
static void network_try(void)
{
    static const struct sockaddr anywhere = {.sa_family = AF_INET};
    TRY("socket inet", socket(AF_INET, SOCK_STREAM, 0));
    TRY("socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
    TRY("socket netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    TRY("bind", bind(STDERR_FILENO, NULL, 0));
    TRY("connect", connect(STDERR_FILENO, NULL, 0));
    TRY("connect to an address", connect(STDERR_FILENO, &anywhere, sizeof(anywhere)));
    TRY("shutdown of a listener", shutdown(STDERR_FILENO, SHUT_RD));
    TRY("shutdown of a listener both ways", shutdown(STDERR_FILENO, SHUT_RDWR));
    TRY("send by fast open",
        sendto(STDERR_FILENO, "x", 1, MSG_FASTOPEN, &anywhere, sizeof(anywhere)));
    TRY("listen", listen(STDERR_FILENO, 1));
}

static void processes_try(void)
{
    static char *const nothing[] = {NULL};
    pid_t parent = getppid();
    TRY("execve", execve("/bin/true", nothing, nothing));
    TRY("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/true", nothing, nothing, 0));
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    say("fork", child);
    TRY("clone a name space", syscall(SYS_clone, CLONE_THREAD | CLONE_NEWUSER, 0, 0, 0, 0));
    TRY("kill", kill(parent, 0));
    TRY("tgkill", syscall(SYS_tgkill, parent, parent, 0));
    TRY("pidfd_open", syscall(SYS_pidfd_open, parent, 0));
    TRY("ptrace", syscall(SYS_ptrace, 0x4206 /* SEIZE */, parent, 0, 0));
    TRY("process_vm_readv", syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0));
    TRY("kcmp", syscall(SYS_kcmp, parent, getpid(), 0, 0, 0));
}

static void privileges_try(void)
{
    struct rlimit limit = {100, 100};
    TRY("setuid", syscall(SYS_setuid, 0));
    TRY("setresuid", syscall(SYS_setresuid, 0, 0, 0));
    TRY("setgroups", syscall(SYS_setgroups, 0, NULL));
    TRY("capset", syscall(SYS_capset, NULL, NULL));
    TRY("mount", syscall(SYS_mount, "none", root, "tmpfs", 0, NULL));
    TRY("chroot", syscall(SYS_chroot, root));
    TRY("unshare", unshare(CLONE_NEWUSER));
    TRY("bpf", syscall(SYS_bpf, 0, NULL, 0));
    TRY("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
    TRY("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
    TRY("init_module", syscall(SYS_init_module, NULL, 0, ""));
    TRY("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
    TRY("sethostname", sethostname("trial", 5));
    TRY("setrlimit", prlimit(0, RLIMIT_NOFILE, &limit, NULL));
    TRY("prctl", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    TRY("ioctl", ioctl(STDERR_FILENO, TIOCSTI, "x"));
}

static void memory_try(void)
{
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY("mprotect to execute", mprotect(memory, 4096, PROT_READ | PROT_EXEC));
    munmap(memory, 4096);
    memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("mmap to execute", memory == MAP_FAILED ? -1 : 0);
}

/* ---- the ring ----------------------------------------------------------------------------- */

int io_uring_queue_init_params(unsigned entries, struct io_uring *opened, struct io_uring_params *p)
{
    int (*original)(unsigned, struct io_uring *, struct io_uring_params *);
    *(void **)&original = dlsym(RTLD_NEXT, "io_uring_queue_init_params");
    ring = opened;
    ring_opener = getpid();
    return original(entries, opened, p);
}

/* The server ignores a completion with this tag: RING_UNTOLD in src/model/ring.h. */
#define UNTOLD UINT64_MAX

/* Returns the result of an operation that the ring was told to do. */
static long result_of(struct io_uring_sqe *sqe)
{
    struct io_uring_cqe *cqe;
    unsigned head, before = io_uring_cq_ready(ring);
    (void)sqe;
    io_uring_submit(ring);
    for (int i = 0; i < 1000; i++) {
        unsigned at = 0;
        io_uring_for_each_cqe(ring, head, cqe)
        {
            if (at++ >= before && cqe->user_data == UNTOLD) return cqe->res;
        }
        usleep(1000);
    }
    return 0;
}

static void ring_say(const char *name, struct io_uring_sqe *sqe)
{
    sqe->user_data = UNTOLD;
    long result = result_of(sqe);
    errno = result < 0 ? (int)-result : 0;
    say(name, result < 0 ? -1 : 0);
}

static void ring_try(void)
{
    if (ring_opener != getpid()) return;
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    io_uring_prep_openat(sqe, AT_FDCWD, outside, O_RDONLY, 0);
    ring_say("ring openat", sqe);
    sqe = io_uring_get_sqe(ring);
    io_uring_prep_unlinkat(sqe, AT_FDCWD, inside, 0);
    ring_say("ring unlinkat", sqe);
    sqe = io_uring_get_sqe(ring);
    io_uring_prep_write(sqe, STDERR_FILENO, "x", 1, 0);
    ring_say("ring write", sqe);
    sqe = io_uring_get_sqe(ring);
    io_uring_prep_socket(sqe, AF_INET, SOCK_STREAM, 0, 0);
    ring_say("ring socket", sqe);
    TRY("ring register", syscall(SYS_io_uring_register, ring->ring_fd, 0, NULL, 0));
}

/* ---- what a filter outside refuses ----------------------------------------------------------- */

/* The server runs as below a filter that forbids the call that TRIAL_FILTER names (systemd: @privileged). */
static bool is_filtered(const char *name)
{
    const char *filtered = getenv("TRIAL_FILTER");
    return filtered && strcmp(filtered, name) == 0;
}

long syscall(long number, ...)
{
    long (*original)(long, ...), argument[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(list, long);
    va_end(list);
    *(void **)&original = dlsym(RTLD_NEXT, "syscall");
    errno = EPERM;
    if (number == SYS_capset && is_filtered("capset")) return -1;
    return original(number, argument[0], argument[1], argument[2], argument[3], argument[4],
                    argument[5]);
}

int setgroups(size_t count, const gid_t *groups)
{
    int (*original)(size_t, const gid_t *);
    *(void **)&original = dlsym(RTLD_NEXT, "setgroups");
    errno = EPERM;
    return is_filtered("setgroups") ? -1 : original(count, groups);
}

/* ---- the signal --------------------------------------------------------------------------- */

static void trial(int number)
{
    int saved = errno;
    (void)number;
    files_try();
    if (getenv("TRIAL_FILES_ALONE")) {
        TRY("chroot", syscall(SYS_chroot, "/"));
    } else {
        network_try();
        processes_try();
        privileges_try();
        memory_try();
        ring_try();
    }
    say("end", 0);
    errno = saved;
}

__attribute__((constructor)) static void begin(void)
{
    struct sigaction action = {.sa_handler = trial, .sa_flags = SA_RESTART};
    root = getenv("TRIAL_ROOT");
    outside = getenv("TRIAL_OUTSIDE");
    if (!root || !outside) return;
    snprintf(inside, sizeof(inside), "%s/a.txt", root);
    snprintf(new_file, sizeof(new_file), "%s/new", root);
    sigaction(SIGRTMIN + 4, &action, NULL);
}
