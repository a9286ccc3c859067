/*
 * What a process may still do once it serves. Everything that needs privileges was opened before:
 * listeners, logs, configuration. Then each process gives up, for ever:
 *
 *     its user and capabilities   confine_user(): setresuid(2), capset(2), no_new_privs (prctl(2))
 *     the file system             confine_files(): landlock(7); only roots can be read, nothing written
 *                                 confine_root(): chroot(2), when it is asked for
 *     system calls                confine_calls(): seccomp(2); only those that its work needs
 *
 * The user and the files are given up before anything else is opened, because Landlock holds for
 * the calling thread and for threads that it starts later. System calls are given up after everything
 * is opened and before the first connection, for all threads at once.
 *
 * A call that is not allowed is refused, and logged once for each call: it fails with ENOSYS, as on a
 * kernel that does not know it, or, when only these arguments are not allowed, with EPERM. It does not
 * kill the process: the tests of faults (tests/inject) show that each call may fail.
 */
#ifndef ZCSERVE_CONFINE_H
#define ZCSERVE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONFINE_GROUPS_MAX 64

/* Whose work it is; each has calls of its own. */
enum confine_role {
    CONFINE_PREFORK,
    CONFINE_THREADPOOL,
    CONFINE_EPOLL,
    CONFINE_URING,
    CONFINE_RECORDER,
    CONFINE_STATUS,
};

/* Whom a process becomes. */
struct confine_user {
    bool changes; /* else it stays who it is */
    uid_t user;
    gid_t group;
    gid_t groups[CONFINE_GROUPS_MAX]; /* the supplementary ones */
    uint32_t count;                   /* of them                */
};

struct confinement {
    struct confine_user user;
    bool privileges;            /* none can be gained (no_new_privs)                         */
    bool capabilities;          /* those that it has are given up                            */
    bool files;                 /* Landlock                                                  */
    bool calls;                 /* seccomp                                                   */
    const char *chroot;         /* the directory that becomes "/"; NULL: none. Then the paths    */
                                /* below are those that lead there inside                    */
    const char **root;          /* directories that are served; owned by whoever made it     */
    uint32_t roots;             /* how many                                                  */
    const char *const *beneath; /* where roots may move to; NULL after the last. None:       */
                                /* the directory above each root, and above what a link      */
                                /* on the way to it leads to, but never the directory "/"    */
};

/*
 * Finds a user by "name", "name:group" or the numbers. Returns false when there is no such user or
 * group; a user without a name in the system needs a group.
 */
bool confine_user_find(struct confine_user *user, const char *name);

/*
 * Returns 0 when this user can read the directory, else -errno; -EPERM: this process cannot become that
 * user. It is tried in a child process, which is waited for.
 */
int confine_user_reads(const struct confine_user *user, const char *directory);

/*
 * Returns 0 when this process can make `directory` its "/" and find the directory `inside` there,
 * else -errno; -EPERM: it lacks CAP_SYS_CHROOT, or a filter forbids chroot. It is tried as above.
 */
int confine_root_try(const char *directory, const char *inside);

/* Returns NULL when the kernel can do it, else why not, with the remedy. */
const char *confine_capabilities_problem(void);
const char *confine_files_problem(void);
const char *confine_calls_problem(void);

/*
 * For the supervisor: gives up the capabilities that it does not need to bind, to open files of any
 * owner, to start processes as other users and to signal them. Programs that it executes have no
 * others either. Nothing happens when it has none.
 */
void confine_supervisor(void);

/*
 * Each returns whether it succeeded, or had nothing to do; else it has logged why, and the process
 * must end. After confine_user() the process must tie itself to its supervisor again (prctl(2):
 * PR_SET_PDEATHSIG is forgotten). confine_root() comes first, because it needs CAP_SYS_CHROOT, and
 * before any directory is open, because an open directory leads out again (chroot(2)).
 */
bool confine_root(const struct confinement *confinement);
bool confine_user(const struct confinement *confinement);
bool confine_files(const struct confinement *confinement);
bool confine_calls(const struct confinement *confinement, enum confine_role role);

#endif
