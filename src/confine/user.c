/*
 * Gives up the user and the capabilities. The order matters: the bounding set and the groups need
 * capabilities, which the change of the user takes away (capabilities(7)).
 */
#define _GNU_SOURCE
#include "confine/attempt.h"
#include "zcserve/confine.h"
#include "zcserve/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITIES 64

/* ---- who -------------------------------------------------------------------------------------- */

static bool number_read(const char *text, uint32_t *number)
{
    size_t length = strlen(text);
    if (length == 0 || length > 10 || strspn(text, "0123456789") != length) return false;
    unsigned long value = strtoul(text, NULL, 10);
    if (value >= UINT32_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

static bool group_find(struct confine_user *user, const char *name)
{
    const struct group *group = getgrnam(name);
    if (group) user->group = group->gr_gid;
    return group || number_read(name, &user->group);
}

/* The groups of a user who has a name: its own ones; too many of them are cut. */
static void groups_find(struct confine_user *user, const char *name)
{
    int count = CONFINE_GROUPS_MAX;
    if (getgrouplist(name, user->group, user->groups, &count) < 0) count = CONFINE_GROUPS_MAX;
    user->count = (uint32_t)count;
}

bool confine_user_find(struct confine_user *user, const char *name)
{
    char alone[256];
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    *user = (struct confine_user){.changes = true};
    if (length == 0 || length >= sizeof(alone)) return false;
    memcpy(alone, name, length);
    alone[length] = '\0';
    const struct passwd *found = getpwnam(alone);
    if (!found && (!colon || !number_read(alone, &user->user))) return false;
    if (found) user->user = found->pw_uid;
    if (found) user->group = found->pw_gid;
    if (colon && !group_find(user, colon + 1)) return false;
    if (found) groups_find(user, alone);
    return true;
}

/* ---- capabilities ----------------------------------------------------------------------------- */

struct sets {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];
};

/* Returns 0 or -errno. */
static int sets_read(struct sets *sets)
{
    *sets = (struct sets){.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
    return syscall(SYS_capget, &sets->header, sets->data) == 0 ? 0 : -errno;
}

static int sets_write(struct sets *sets)
{
    return syscall(SYS_capset, &sets->header, sets->data) == 0 ? 0 : -errno;
}

/* Returns whether there is something that could be given up. */
static bool sets_have(const struct sets *sets)
{
    return sets->data[0].permitted | sets->data[1].permitted | sets->data[0].inheritable |
           sets->data[1].inheritable;
}

/* Writing what was read changes nothing, so that only a filter can refuse it. */
const char *confine_capabilities_problem(void)
{
    struct sets sets;
    int error = sets_read(&sets);
    if (error == 0 && sets_have(&sets)) error = sets_write(&sets);
    return error == 0
               ? NULL
               : "a filter of system calls forbids capset (systemd: SystemCallFilter=capset)";
}

/* Keeps only those of `kept` that the process has; programs that it executes can have those of `bound`. */
static int capabilities_keep(uint64_t kept, uint64_t bound)
{
    struct sets sets;
    struct __user_cap_data_struct *data = sets.data;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    int error = sets_read(&sets);
    if (error != 0 || !sets_have(&sets)) return error;
    if ((data[0].effective >> CAP_SETPCAP) & 1)
        for (unsigned long i = 0; i < CAPABILITIES; i++)
            if (!((bound >> i) & 1)) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
    for (int i = 0; i < 2; i++) {
        uint32_t mask = (uint32_t)(kept >> (32 * i));
        data[i].effective &= mask;
        data[i].permitted &= mask;
        data[i].inheritable = 0;
    }
    return sets_write(&sets);
}

void confine_supervisor(void)
{
    static const uint64_t kept = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE |
                                 1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER |
                                 1ULL << CAP_IPC_LOCK | 1ULL << CAP_KILL | 1ULL << CAP_NET_ADMIN |
                                 1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_SETGID |
                                 1ULL << CAP_SETPCAP | 1ULL << CAP_SETUID | 1ULL << CAP_SYS_CHROOT |
                                 1ULL << CAP_SYS_NICE | 1ULL << CAP_SYS_RESOURCE;
    if (geteuid() != 0) return;
    int error = capabilities_keep(kept, kept);
    if (error != 0) log_warn("capabilities cannot be given up: %s", strerror(-error));
}

/* ---- becoming --------------------------------------------------------------------------------- */

static int become(const struct confine_user *user)
{
    if (setgroups(user->count, user->groups) != 0) return -errno;
    if (setresgid(user->group, user->group, user->group) != 0) return -errno;
    if (setresuid(user->user, user->user, user->user) != 0) return -errno;
    /* The change hid this process from the status process, which has the same user (proc(5)). */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    return 0;
}

/* A process that stays root because others cannot read the files keeps that it reads all. */
static int give_up(const struct confinement *confinement)
{
    bool stays = geteuid() == 0 && !confinement->user.changes;
    int error = 0;
    if (confinement->capabilities && stays)
        error = capabilities_keep(1ULL << CAP_DAC_READ_SEARCH, 0);
    else if (confinement->capabilities)
        error = capabilities_keep(1ULL << CAP_SETGID | 1ULL << CAP_SETUID, 0);
    if (error == 0 && confinement->user.changes) error = become(&confinement->user);
    if (error == 0 && confinement->capabilities && !stays) error = capabilities_keep(0, 0);
    if (error == 0 && confinement->privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        error = -errno;
    return error;
}

bool confine_user(const struct confinement *confinement)
{
    int error = give_up(confinement);
    if (error != 0) log_error("privileges cannot be given up: %s", strerror(-error));
    return error == 0;
}

struct reading {
    const struct confine_user *user;
    const char *directory;
};

static int reads_try(const void *of)
{
    const struct reading *reading = of;
    if (become(reading->user) != 0) return -EPERM;
    if (open(reading->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0) return 0;
    return errno == EPERM ? -EACCES : -errno;
}

int confine_user_reads(const struct confine_user *user, const char *directory)
{
    struct reading reading = {user, directory};
    return attempt(reads_try, &reading);
}
