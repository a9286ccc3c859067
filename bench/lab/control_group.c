/* Finds where control groups are, makes one, sets its limits, and leaves it. */
#include "control_group.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT_MAX = 160, REMOVE_TRIES = 100 };

static const struct {
    const char *name, *old; /* its names in version 2 and in version 1 */
} controllers[] = {[CONTROLLER_MEMORY] = {"memory", "memory"}, [CONTROLLER_IO] = {"io", "blkio"}};

static int failed(struct control_group *g, const char *what, int error)
{
    bool forbidden = error == EACCES || error == EPERM || error == EROFS;
    snprintf(g->why, sizeof g->why, "%.100s: %.40s%s", what, strerror(error),
             forbidden ? " (it needs root, outside of a container)" : "");
    return error ? -error : -EIO;
}

/* Writes a text to a file. Returns 0 or -errno. */
static int text_write(const char *path, const char *form, ...)
    __attribute__((format(printf, 2, 3)));
static int text_write(const char *path, const char *form, ...)
{
    va_list values;
    FILE *file = fopen(path, "we");
    if (!file) return -errno;
    va_start(values, form);
    int result = vfprintf(file, form, values) < 0 ? -errno : 0;
    va_end(values);
    if (fclose(file) != 0 && result == 0) result = -errno;
    return result;
}

/* ---- where they are ---------------------------------------------------------------------------- */

/* Returns whether a list, with commas or spaces between its words, contains the word. */
static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || strchr(", \n", at[-1])) && strchr(", \n", at[length])) return true;
    return false;
}

static bool file_has(const char *path, const char *word)
{
    char text[512] = "";
    FILE *file = fopen(path, "re");
    if (!file) return false;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    return list_has(text, word);
}

/* Finds where the controller is mounted: in version 2 if that has it. */
static bool root_find(struct control_group *g, const char *mounts, char root[ROOT_MAX])
{
    char line[512], type[24], place[ROOT_MAX], options[200], path[200];
    bool found = false;
    FILE *file = fopen(mounts, "re");
    while (file && !g->version_2 && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*s %159s %23s %199s", place, type, options) != 3) continue;
        snprintf(path, sizeof path, "%s/cgroup.controllers", place);
        g->version_2 = !strcmp(type, "cgroup2") && file_has(path, controllers[g->controller].name);
        if (!g->version_2 &&
            (strcmp(type, "cgroup") != 0 || !list_has(options, controllers[g->controller].old)))
            continue;
        snprintf(root, ROOT_MAX, "%s", place);
        found = true;
    }
    if (file) fclose(file);
    return found;
}

/* Finds the group of this process: a line "4:blkio:/some/where" or "0::/some/where". */
static void home_find(const struct control_group *g, const char *root, char home[300])
{
    char line[512];
    FILE *file = fopen("/proc/self/cgroup", "re");
    snprintf(home, 300, "%.159s/cgroup.procs", root);
    while (file && fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':');
        char *path = names ? strchr(names + 1, ':') : NULL;
        if (!path) continue;
        *path++ = ',';
        bool mine =
            g->version_2 ? names[1] == ',' : list_has(names + 1, controllers[g->controller].old);
        path[strcspn(path, "\n")] = '\0';
        if (mine && strcmp(path, "/") != 0)
            snprintf(home, 300, "%.130s%.140s/cgroup.procs", root, path);
    }
    if (file) fclose(file);
}

/* Removes groups of programs that are gone. A group with a process in it cannot be removed. */
static void leftovers_remove(const char *root)
{
    DIR *listing = opendir(root);
    struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        char path[460];
        int pid;
        if (sscanf(entry->d_name, "zclab-%d", &pid) != 1 || kill(pid, 0) == 0) continue;
        snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        rmdir(path);
    }
    if (listing) closedir(listing);
}

/* ---- a group ----------------------------------------------------------------------------------- */

/* In version 2, the root must switch the controller on for the groups below it. */
static int controller_put_on(struct control_group *g, const char *root)
{
    char path[200];
    const char *name = controllers[g->controller].name;
    snprintf(path, sizeof path, "%.159s/cgroup.subtree_control", root);
    if (!g->version_2 || file_has(path, name)) return 0;
    int result = text_write(path, "+%s", name);
    g->enabled = result == 0;
    return result < 0
               ? failed(g, "the controller cannot be switched on for control groups", -result)
               : 0;
}

int control_group_open(struct control_group *g, enum controller controller, const char *mounts)
{
    static unsigned made;
    char root[ROOT_MAX];
    *g = (struct control_group){.controller = controller};
    if (!root_find(g, mounts, root))
        return failed(g,
                      controller == CONTROLLER_IO
                          ? "no control group can limit block devices (neither io nor blkio)"
                          : "no control group can limit memory",
                      ENODEV);
    leftovers_remove(root);
    int result = controller_put_on(g, root);
    if (result < 0) return result;
    snprintf(g->path, sizeof g->path, "%s/zclab-%d-%u", root, (int)getpid(), made++);
    if (mkdir(g->path, 0755) == 0) return 0;
    result = failed(g, "no control group can be made", errno);
    g->path[0] = '\0';
    return result;
}

static void root_of(const struct control_group *g, char root[300])
{
    snprintf(root, 300, "%s", g->path);
    *strrchr(root, '/') = '\0';
}

int control_group_add(struct control_group *g, pid_t pid)
{
    char path[340];
    snprintf(path, sizeof path, "%s/cgroup.procs", g->path);
    int result = text_write(path, "%d", (int)pid);
    return result < 0 ? failed(g, "the control group cannot be entered", -result) : 0;
}

int control_group_enter(struct control_group *g)
{
    char root[300];
    root_of(g, root);
    home_find(g, root, g->home);
    return control_group_add(g, getpid());
}

static int limited(struct control_group *g, int result)
{
    return result < 0 ? failed(g, "the control group does not take the limit", -result) : 0;
}

int control_group_memory(struct control_group *g, uint64_t bytes)
{
    char path[360];
    snprintf(path, sizeof path, "%s/%s", g->path,
             g->version_2 ? "memory.max" : "memory.limit_in_bytes");
    return limited(g, text_write(path, "%" PRIu64, bytes));
}

int control_group_reads(struct control_group *g, unsigned major, unsigned minor, uint64_t iops,
                        uint64_t bytes)
{
    char path[360], most[2][32] = {"max", "max"};
    if (g->version_2) {
        snprintf(path, sizeof path, "%s/io.max", g->path);
        if (iops) snprintf(most[0], sizeof most[0], "%" PRIu64, iops);
        if (bytes) snprintf(most[1], sizeof most[1], "%" PRIu64, bytes);
        return limited(g,
                       text_write(path, "%u:%u riops=%s rbps=%s", major, minor, most[0], most[1]));
    }
    snprintf(path, sizeof path, "%s/blkio.throttle.read_iops_device", g->path);
    int result = text_write(path, "%u:%u %" PRIu64, major, minor, iops);
    snprintf(path, sizeof path, "%s/blkio.throttle.read_bps_device", g->path);
    if (result == 0) result = text_write(path, "%u:%u %" PRIu64, major, minor, bytes);
    return limited(g, result);
}

int control_group_forget(struct control_group *g)
{
    char path[360];
    snprintf(path, sizeof path, "%s/%s", g->path,
             g->version_2 ? "memory.reclaim" : "memory.force_empty");
    /* Asks for everything: EAGAIN says that there was not so much. */
    int result = text_write(path, "%s", g->version_2 ? "1T" : "0");
    if (result == -EAGAIN) result = 0;
    return result < 0 ? failed(g, "the control group cannot drop what it has read", -result) : 0;
}

int control_group_leave(struct control_group *g)
{
    char path[340], root[300];
    if (!g->home[0]) return 0;
    root_of(g, root);
    snprintf(path, sizeof path, "%s/cgroup.procs", root);
    int result = text_write(g->home, "%d", (int)getpid());
    if (result < 0) result = text_write(path, "%d", (int)getpid());
    g->home[0] = '\0';
    return result < 0 ? failed(g, "the control group cannot be left", -result) : 0;
}

void control_group_close(struct control_group *g)
{
    char path[340], root[300];
    if (!g->path[0]) return;
    control_group_leave(g);
    root_of(g, root);
    for (int i = 0; i < REMOVE_TRIES && rmdir(g->path) < 0 && errno == EBUSY; i++)
        usleep(1000); /* kernel threads may still hold it */
    snprintf(path, sizeof path, "%s/cgroup.subtree_control", root);
    if (g->enabled) text_write(path, "-%s", controllers[g->controller].name);
    g->path[0] = '\0';
}
