/* Less memory for a while, by a cgroup of version 2. */
#include "memory_group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT_MAX = 160, PATH_MOST = 512 };

static char group[ROOT_MAX + 40]; /* that was entered; "" */
static char before[PATH_MOST];    /* cgroup.procs of where the process was */

/* The first line of a file; "" when there is none. */
static void line_read(const char *path, char into[PATH_MOST])
{
    FILE *file = fopen(path, "re");
    into[0] = '\0';
    if (!file) return;
    if (!fgets(into, PATH_MOST, file)) into[0] = '\0';
    into[strcspn(into, "\n")] = '\0';
    fclose(file);
}

static int line_write(const char *directory, const char *name, uint64_t value)
{
    char path[PATH_MOST];
    snprintf(path, sizeof path, "%s%s%s", directory, *name ? "/" : "", name);
    FILE *file = fopen(path, "we");
    if (!file) return -errno;
    int failed = fprintf(file, "%" PRIu64, value) < 0;
    if (fclose(file) != 0 || failed) return -errno;
    return 0;
}

static bool has_word(const char *line, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(line, word); at; at = strstr(at + 1, word))
        if ((at == line || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return true;
    return false;
}

const char *memory_group_hindrance(const char *root)
{
    char path[PATH_MOST], line[PATH_MOST];
    snprintf(path, sizeof path, "%.160s/cgroup.controllers", root);
    line_read(path, line);
    if (geteuid() != 0) return "it needs root (a cgroup with little memory)";
    if (!*line) return "there is no hierarchy of cgroups of version 2 at /sys/fs/cgroup";
    snprintf(path, sizeof path, "%.160s/cgroup.subtree_control", root);
    line_read(path, line);
    if (!has_word(line, "memory"))
        return "the root of the cgroups does not hand the memory controller down";
    snprintf(path, sizeof path, "%.160s/cgroup.procs", root);
    if (access(path, W_OK) < 0) return "the hierarchy of cgroups may not be written to";
    return NULL;
}

/* Where this process is: a line "0::/path" of /proc/self/cgroup. */
static int place_read(const char *root)
{
    char line[PATH_MOST];
    FILE *file = fopen("/proc/self/cgroup", "re");
    int result = -ENOENT;
    while (file && result < 0 && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) != 0 || strlen(line) > 300) continue;
        const char *slash = line[4] ? "/" : "";
        snprintf(before, sizeof before, "%.160s%s%.300s/cgroup.procs", root, slash, line + 4);
        result = 0;
    }
    if (file) fclose(file);
    return result;
}

int memory_group_enter(const char *root, uint64_t bytes)
{
    static bool registered;
    if (group[0]) return -EBUSY;
    if (!registered && atexit(memory_group_leave) == 0) registered = true;
    int result = place_read(root);
    if (result < 0) return result;
    snprintf(group, sizeof group, "%.160s/zclab-%d", root, (int)getpid());
    if (mkdir(group, 0755) < 0) result = -errno;
    if (result < 0) group[0] = '\0';
    if (result == 0) result = line_write(group, "memory.max", bytes);
    if (result == 0) result = line_write(group, "cgroup.procs", (uint64_t)getpid());
    if (result < 0) memory_group_leave();
    return result;
}

void memory_group_leave(void)
{
    if (!group[0]) return;
    line_write(before, "", (uint64_t)getpid());
    rmdir(group);
    group[0] = '\0';
}
