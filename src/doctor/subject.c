/* Reads /proc/PID, looks up users, and becomes one. */
#include "doctor/subject.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/kernel_file.h"

static void name_find(struct subject *subject)
{
    const struct passwd *known = getpwuid(subject->user);
    if (known)
        snprintf(subject->name, sizeof(subject->name), "%.32s", known->pw_name);
    else
        snprintf(subject->name, sizeof(subject->name), "%u", subject->user);
}

/* ---- a process ------------------------------------------------------------------------------- */

/* Reads a word of /proc/PID/limits; "unlimited" is one. */
static uint64_t limit_value(const char *word)
{
    return strcmp(word, "unlimited") == 0 ? SUBJECT_UNLIMITED : strtoull(word, NULL, 10);
}

static bool limit_read(const char *tree, const char *path, const char *name,
                       struct subject_limit *limit)
{
    char line[256], soft[32], hard[32];
    if (!kernel_key(tree, path, name, line, sizeof(line))) return false;
    if (sscanf(line, "%31s %31s", soft, hard) != 2) return false;
    *limit = (struct subject_limit){limit_value(soft), limit_value(hard)};
    return true;
}

/* Reads "Uid:	real	effective	saved	file system", and "Gid:" in the same form. */
static bool effective_read(const char *tree, const char *path, const char *key, unsigned *number)
{
    char line[128];
    return kernel_key(tree, path, key, line, sizeof(line)) && sscanf(line, "%*u %u", number) == 1;
}

static void groups_read(struct subject *subject, const char *tree, const char *path)
{
    char line[KERNEL_LINE_MAX], *at = line, *end;
    subject->group_count = 0;
    if (!kernel_key(tree, path, "Groups:", line, sizeof(line))) return;
    while (subject->group_count < SUBJECT_GROUPS_MAX) {
        gid_t group = (gid_t)strtoul(at, &end, 10);
        if (end == at) break;
        subject->groups[subject->group_count++] = group;
        at = end;
    }
}

int subject_read(struct subject *subject, const char *tree)
{
    char status[48], limits[48], line[64];
    snprintf(status, sizeof(status), "%s/status", subject->directory);
    snprintf(limits, sizeof(limits), "%s/limits", subject->directory);
    if (!effective_read(tree, status, "Uid:", &subject->user) ||
        !effective_read(tree, status, "Gid:", &subject->group) ||
        !limit_read(tree, limits, "Max open files", &subject->files) ||
        !limit_read(tree, limits, "Max locked memory", &subject->locked))
        return -ENOENT;
    groups_read(subject, tree, status);
    subject->capabilities = 0;
    if (kernel_key(tree, status, "CapEff:", line, sizeof(line)))
        subject->capabilities = strtoull(line, NULL, 16);
    name_find(subject);
    return 0;
}

/* ---- a user ---------------------------------------------------------------------------------- */

int subject_find(struct subject *subject, const char *name)
{
    int room = SUBJECT_GROUPS_MAX;
    char *end;
    const struct passwd *known = getpwnam(name);
    unsigned long number = strtoul(name, &end, 10);
    bool is_number = *name != '\0' && *end == '\0' && number < UINT32_MAX;
    if (!known && is_number) known = getpwuid((uid_t)number);
    if (!known && !is_number) return -1;
    subject->user = known ? known->pw_uid : (uid_t)number;
    subject->group = known ? known->pw_gid : (gid_t)number;
    if (known && getgrouplist(known->pw_name, known->pw_gid, subject->groups, &room) < 0)
        room = SUBJECT_GROUPS_MAX;
    subject->group_count = known ? (unsigned)room : 0;
    name_find(subject);
    return 0;
}

int subject_become(const struct subject *subject)
{
    if (subject->user == geteuid()) return 0;
    if (setgroups(subject->group_count, subject->groups) != 0) return -errno;
    if (setresgid(subject->group, subject->group, subject->group) != 0) return -errno;
    if (setresuid(subject->user, subject->user, subject->user) != 0) return -errno;
    return 0;
}
