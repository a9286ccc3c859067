/*
 * The system calls that the program and its libraries make through libc: each can be made to fail as its manual
 * page says. A call that fails was not made.
 */
#include "board.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FROM __builtin_return_address(0)

/* Linux 6.5; the same on every architecture. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

/* A function that returns `failed` and sets errno. */
#define WRAP(type, failed, name, parameters, arguments) \
    type name parameters                                \
    {                                                   \
        REAL(name);                                     \
        int error = board_error(CALL_##name, FROM);     \
        if (error == 0) return real arguments;          \
        errno = error;                                  \
        return failed;                                  \
    }

/* A function that returns its errno. */
#define WRAP_RETURNS(name, parameters, arguments)   \
    int name parameters                             \
    {                                               \
        REAL(name);                                 \
        int error = board_error(CALL_##name, FROM); \
        return error ? error : real arguments;      \
    }

/* ---- files ------------------------------------------------------------------------------------ */

WRAP(int, -1, access, (const char *path, int mode), (path, mode))
WRAP(int, -1, dup3, (int from, int to, int flags), (from, to, flags))
WRAP(int, -1, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags))
WRAP(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, -1, fchownat, (int at, const char *path, uid_t user, gid_t group, int flags),
     (at, path, user, group, flags))
WRAP(FILE *, NULL, fdopen, (int fd, const char *mode), (fd, mode))
WRAP(DIR *, NULL, fdopendir, (int fd), (fd))
WRAP(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
WRAP(int, -1, fstat, (int fd, struct stat *about), (fd, about))
WRAP(int, -1, fstatat, (int at, const char *path, struct stat *about, int flags),
     (at, path, about, flags))
WRAP(int, -1, fstatfs, (int fd, struct statfs *about), (fd, about))
WRAP(char *, NULL, getcwd, (char *space, size_t size), (space, size))
WRAP(int, -1, getifaddrs, (struct ifaddrs * *list), (list))
WRAP(int, -1, lstat, (const char *path, struct stat *about), (path, about))
WRAP(DIR *, NULL, opendir, (const char *path), (path))
WRAP(FILE *, NULL, open_memstream, (char **text, size_t *length), (text, length))
WRAP(int, -1, pipe2, (int pair[2], int flags), (pair, flags))
WRAP_RETURNS(posix_fadvise, (int fd, off_t offset, off_t length, int advice),
             (fd, offset, length, advice))
WRAP(ssize_t, -1, preadv2, (int fd, const struct iovec *vector, int count, off_t offset, int flags),
     (fd, vector, count, offset, flags))
WRAP(ssize_t, -1, pwritev2,
     (int fd, const struct iovec *vector, int count, off_t offset, int flags),
     (fd, vector, count, offset, flags))
WRAP(ssize_t, -1, readlink, (const char *path, char *space, size_t size), (path, space, size))
WRAP(ssize_t, -1, readlinkat, (int at, const char *path, char *space, size_t size),
     (at, path, space, size))
WRAP(struct dirent *, NULL, readdir, (DIR * directory), (directory))
WRAP(int, -1, stat, (const char *path, struct stat *about), (path, about))
WRAP(int, -1, statfs, (const char *path, struct statfs *about), (path, about))
WRAP(int, -1, statx, (int at, const char *path, int flags, unsigned mask, struct statx *about),
     (at, path, flags, mask, about))
WRAP(int, -1, unlink, (const char *path), (path))

/* ---- where the parameters vary ------------------------------------------------------------------ */

/* A function with one more parameter, which is taken even when it was not given: then nobody looks at it. */
#define WRAP_MORE(name, before, more, parameters, arguments) \
    int name parameters                                      \
    {                                                        \
        REAL(name);                                          \
        va_list list;                                        \
        va_start(list, before);                              \
        more last = va_arg(list, more);                      \
        va_end(list);                                        \
        int error = board_error(CALL_##name, FROM);          \
        if (error == 0) return real arguments;               \
        errno = error;                                       \
        return -1;                                           \
    }

/* Asking for flags never fails, but for a descriptor that is not open. */
int fcntl(int fd, int what, ...)
{
    REAL(fcntl);
    va_list list;
    va_start(list, what);
    void *last = va_arg(list, void *);
    va_end(list);
    bool asks = what == F_GETFD || what == F_GETFL;
    int error = asks ? 0 : board_error(CALL_fcntl, FROM);
    if (error == 0) return real(fd, what, last);
    errno = error;
    return -1;
}

WRAP_MORE(ioctl, what, void *, (int fd, unsigned long what, ...), (fd, what, last))
WRAP_MORE(open, flags, mode_t, (const char *path, int flags, ...), (path, flags, last))
WRAP_MORE(openat, flags, mode_t, (int at, const char *path, int flags, ...),
          (at, path, flags, last))

/* openat(2) as _FORTIFY_SOURCE calls it. */
int __openat_2(int at, const char *path, int flags);
int __openat_2(int at, const char *path, int flags)
{
    REAL(openat);
    int error = board_error(CALL_openat, FROM);
    if (error == 0) return real(at, path, flags);
    errno = error;
    return -1;
}

int prctl(int what, ...)
{
    REAL(prctl);
    unsigned long argument[4];
    va_list list;
    va_start(list, what);
    for (int i = 0; i < 4; i++)
        argument[i] = va_arg(list, unsigned long);
    va_end(list);
    int error = board_error(CALL_prctl, FROM);
    if (error == 0) return real(what, argument[0], argument[1], argument[2], argument[3]);
    errno = error;
    return -1;
}

/* Calls that have no function of their own: syscall(2). */
#define NUMBERED(X)                                         \
    X(SYS_openat2, openat2)                                 \
    X(SYS_cachestat, cachestat)                             \
    X(SYS_capget, capget)                                   \
    X(SYS_capset, capset)                                   \
    X(SYS_landlock_create_ruleset, landlock_create_ruleset) \
    X(SYS_landlock_add_rule, landlock_add_rule)             \
    X(SYS_landlock_restrict_self, landlock_restrict_self)   \
    X(SYS_seccomp, seccomp)

static int numbered_error(long number, const void *from)
{
    switch (number) {
#define NUMBER(value, name) \
    case value: return board_error(CALL_##name, from);
        NUMBERED(NUMBER)
#undef NUMBER
    default: return 0;
    }
}

long syscall(long number, ...)
{
    REAL(syscall);
    long argument[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(list, long);
    va_end(list);
    int error = numbered_error(number, FROM);
    if (error == 0)
        return real(number, argument[0], argument[1], argument[2], argument[3], argument[4],
                    argument[5]);
    errno = error;
    return -1;
}

/* ---- sockets ------------------------------------------------------------------------------------ */

WRAP(int, -1, accept4, (int fd, struct sockaddr *peer, socklen_t *length, int flags),
     (fd, peer, length, flags))
WRAP(int, -1, bind, (int fd, const struct sockaddr *address, socklen_t length),
     (fd, address, length))
WRAP(int, -1, connect, (int fd, const struct sockaddr *address, socklen_t length),
     (fd, address, length))
WRAP(int, -1, getpeername, (int fd, struct sockaddr *address, socklen_t *length),
     (fd, address, length))
WRAP(int, -1, getsockname, (int fd, struct sockaddr *address, socklen_t *length),
     (fd, address, length))
WRAP(int, -1, getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
     (fd, level, name, value, length))
WRAP(int, -1, listen, (int fd, int backlog), (fd, backlog))
WRAP(int, -1, setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
     (fd, level, name, value, length))
WRAP(int, -1, shutdown, (int fd, int how), (fd, how))
WRAP(ssize_t, -1, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))

/* ---- waiting ------------------------------------------------------------------------------------ */

WRAP(int, -1, epoll_create1, (int flags), (flags))

/* Removing takes no memory, and does not fail. */
int epoll_ctl(int fd, int what, int of, struct epoll_event *event)
{
    REAL(epoll_ctl);
    int error = what == EPOLL_CTL_DEL ? 0 : board_error(CALL_epoll_ctl, FROM);
    if (error == 0) return real(fd, what, of, event);
    errno = error;
    return -1;
}

WRAP(int, -1, epoll_wait, (int fd, struct epoll_event *events, int most, int timeout),
     (fd, events, most, timeout))
WRAP(int, -1, eventfd, (unsigned count, int flags), (count, flags))
WRAP(int, -1, eventfd_read, (int fd, eventfd_t *value), (fd, value))
WRAP(int, -1, eventfd_write, (int fd, eventfd_t value), (fd, value))
WRAP(int, -1, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(int, -1, inotify_init1, (int flags), (flags))
WRAP(int, -1, inotify_rm_watch, (int fd, int watch), (fd, watch))
WRAP(int, -1, nanosleep, (const struct timespec *wait, struct timespec *left), (wait, left))
WRAP(int, -1, poll, (struct pollfd * list, nfds_t count, int timeout), (list, count, timeout))
WRAP(int, -1, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags))
WRAP(int, -1, sigtimedwait, (const sigset_t *set, siginfo_t *about, const struct timespec *wait),
     (set, about, wait))

/* ---- processes, threads and their limits --------------------------------------------------------- */

WRAP(pid_t, -1, fork, (void), ())
WRAP(ssize_t, -1, getrandom, (void *space, size_t size, unsigned flags), (space, size, flags))
WRAP(int, -1, getrlimit, (__rlimit_resource_t what, struct rlimit *limit), (what, limit))
WRAP(int, -1, kill, (pid_t pid, int number), (pid, number))
WRAP_RETURNS(pthread_create,
             (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *of),
             (thread, how, run, of))
WRAP(int, -1, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set), (pid, size, set))
WRAP(int, -1, sched_setaffinity, (pid_t pid, size_t size, const cpu_set_t *set), (pid, size, set))
WRAP(int, -1, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit), (what, limit))
WRAP(pid_t, -1, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WRAP(void *, MAP_FAILED, mmap,
     (void *at, size_t length, int protection, int flags, int fd, off_t offset),
     (at, length, protection, flags, fd, offset))

/* ---- what a process gives up, and what it loads -------------------------------------------------- */

/* Fails as a whole: inside, glibc (2.36) dereferences what malloc(3) gave it, without a look. */
#define WRAP_LOOKUP(type, failed, name, parameters, arguments) \
    type name parameters                                       \
    {                                                          \
        REAL(name);                                            \
        int error = board_error(CALL_##name, FROM);            \
        errno = error;                                         \
        if (error) return failed;                              \
        board_memory_rests = true;                             \
        type found = real arguments;                           \
        board_memory_rests = false;                            \
        return found;                                          \
    }

WRAP_LOOKUP(struct group *, NULL, getgrnam, (const char *name), (name))
WRAP_LOOKUP(int, -1, getgrouplist, (const char *user, gid_t group, gid_t *groups, int *count),
            (user, group, groups, count))
WRAP_LOOKUP(struct passwd *, NULL, getpwnam, (const char *name), (name))
WRAP(int, -1, setgroups, (size_t count, const gid_t *groups), (count, groups))
WRAP(int, -1, setresgid, (gid_t real_group, gid_t effective, gid_t saved),
     (real_group, effective, saved))
WRAP(int, -1, setresuid, (uid_t real_user, uid_t effective, uid_t saved),
     (real_user, effective, saved))

/* libseccomp (2.5) frees twice what realloc(3) did not make larger: a rule fails as a whole. */
int seccomp_rule_add(scmp_filter_ctx filter, uint32_t action, int number, unsigned count, ...)
{
    struct scmp_arg_cmp condition[6];
    va_list list;
    va_start(list, count);
    for (unsigned i = 0; i < count && i < 6; i++)
        condition[i] = va_arg(list, struct scmp_arg_cmp);
    va_end(list);
    int error = board_error(CALL_seccomp_rule_add, FROM);
    if (error) return -error;
    board_memory_rests = true;
    int result = seccomp_rule_add_array(filter, action, number, count, condition);
    board_memory_rests = false;
    return result;
}

int seccomp_rule_add_array(scmp_filter_ctx filter, uint32_t action, int number, unsigned count,
                           const struct scmp_arg_cmp *condition)
{
    REAL(seccomp_rule_add_array);
    bool inner = board_memory_rests;
    int error = inner ? 0 : board_error(CALL_seccomp_rule_add_array, FROM);
    if (error) return -error;
    board_memory_rests = true;
    int result = real(filter, action, number, count, condition);
    board_memory_rests = inner;
    return result;
}

int seccomp_load(scmp_filter_ctx filter)
{
    REAL(seccomp_load);
    int error = board_error(CALL_seccomp_load, FROM);
    if (error) return -error;
    board_memory_rests = true;
    int result = real(filter);
    board_memory_rests = false;
    return result;
}

/* Another name is asked for, so that dlerror(3) has something to say. */
void *dlopen(const char *path, int flags)
{
    REAL(dlopen);
    return real(board_error(CALL_dlopen, FROM) ? "libabsent.so" : path, flags);
}
