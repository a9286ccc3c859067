/*
 * Experiment 13: loop devices, and the block layer's throttle (Documentation/admin-guide/cgroup-v1/blkio-controller,
 * and "io.max" in cgroup-v2). Whatever is made here is taken down by volumes_close(); of a program that was killed
 * an empty group is left at most, and the next one removes it.
 */
#include "volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TRIES = 16 };

static int failed(struct volumes *v, const char *what, int error)
{
    snprintf(v->why, sizeof v->why, "%.120s: %s", what, strerror(error));
    return error ? -error : -EIO;
}

static int text_write(const char *path, const char *form, ...)
{
    char said[128];
    va_list values;
    va_start(values, form);
    int length = vsnprintf(said, sizeof said, form, values);
    va_end(values);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = write(fd, said, (size_t)length) < 0 ? -errno : 0;
    close(fd);
    return result;
}

/* ---- control groups ---------------------------------------------------------------------------- */

/* The word is one of a list with commas or spaces between. */
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

/* Where the controller of block devices is mounted: version 2 with io, else version 1 with blkio. */
static bool root_find(struct volumes *v, char root[160])
{
    char line[512], type[24], place[160], options[200], path[200];
    bool found = false;
    FILE *file = fopen("/proc/self/mounts", "re");
    while (file && !v->version_2 && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*s %159s %23s %199s", place, type, options) != 3) continue;
        snprintf(path, sizeof path, "%s/cgroup.controllers", place);
        v->version_2 = !strcmp(type, "cgroup2") && file_has(path, "io");
        if (!v->version_2 && (strcmp(type, "cgroup") != 0 || !list_has(options, "blkio"))) continue;
        snprintf(root, 160, "%s", place);
        found = true;
    }
    if (file) fclose(file);
    return found;
}

/* In which group this process is: "4:blkio:/some/where" or "0::/some/where". */
static void home_find(struct volumes *v, const char *root)
{
    char line[512];
    FILE *file = fopen("/proc/self/cgroup", "re");
    snprintf(v->home, sizeof v->home, "%.159s/cgroup.procs", root);
    while (file && fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = ',';
        bool mine = v->version_2 ? controllers[1] == ',' : list_has(controllers + 1, "blkio");
        path[strcspn(path, "\n")] = '\0';
        if (mine && strcmp(path, "/") != 0)
            snprintf(v->home, sizeof v->home, "%.130s%.140s/cgroup.procs", root, path);
    }
    if (file) fclose(file);
}

/* Groups of programs that are gone. One with a process in it cannot be removed. */
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

static int group_enter(struct volumes *v)
{
    char root[160], path[340];
    if (!root_find(v, root))
        return failed(v, "no control group can limit block devices (neither io nor blkio)", ENODEV);
    home_find(v, root);
    leftovers_remove(root);
    snprintf(path, sizeof path, "%s/cgroup.subtree_control", root);
    if (v->version_2 && !file_has(path, "io")) {
        int result = text_write(path, "+io");
        if (result < 0) return failed(v, "io cannot be put on for control groups", -result);
        v->enabled = true;
    }
    snprintf(v->group, sizeof v->group, "%s/zclab-%d", root, (int)getpid());
    if (mkdir(v->group, 0755) < 0 && errno != EEXIST) {
        int error = errno;
        v->group[0] = '\0';
        return failed(v, "no control group can be made", error);
    }
    snprintf(path, sizeof path, "%.299s/cgroup.procs", v->group);
    int result = text_write(path, "%d", (int)getpid());
    return result < 0 ? failed(v, "the control group cannot be entered", -result) : 0;
}

static void group_leave(struct volumes *v)
{
    char path[340], root[300];
    if (!v->group[0]) return;
    snprintf(root, sizeof root, "%s", v->group);
    *strrchr(root, '/') = '\0';
    snprintf(path, sizeof path, "%.299s/cgroup.procs", root);
    if (text_write(v->home, "%d", (int)getpid()) < 0) text_write(path, "%d", (int)getpid());
    for (int i = 0; i < 100 && rmdir(v->group) < 0 && errno == EBUSY; i++)
        usleep(1000); /* threads of the kernel may still hold it */
    snprintf(path, sizeof path, "%.270s/cgroup.subtree_control", root);
    if (v->enabled) text_write(path, "-io");
    v->group[0] = '\0';
}

int volumes_limit(struct volumes *v, const struct limits *limits)
{
    char path[360], iops[32] = "max", bytes[32] = "max";
    int result = 0;
    if (limits->iops) snprintf(iops, sizeof iops, "%" PRIu64, limits->iops);
    if (limits->bytes_per_s) snprintf(bytes, sizeof bytes, "%" PRIu64, limits->bytes_per_s);
    for (unsigned i = 0; i < v->count && result == 0; i++) {
        const unsigned *number = v->number[i];
        if (v->version_2) {
            snprintf(path, sizeof path, "%.299s/io.max", v->group);
            result = text_write(path, "%u:%u riops=%s rbps=%s", number[0], number[1], iops, bytes);
            continue;
        }
        snprintf(path, sizeof path, "%.299s/blkio.throttle.read_iops_device", v->group);
        result = text_write(path, "%u:%u %" PRIu64, number[0], number[1], limits->iops);
        snprintf(path, sizeof path, "%.299s/blkio.throttle.read_bps_device", v->group);
        if (result == 0)
            result = text_write(path, "%u:%u %" PRIu64, number[0], number[1], limits->bytes_per_s);
    }
    return result < 0 ? failed(v, "the control group does not take the limit", -result) : 0;
}

/* ---- loop devices ------------------------------------------------------------------------------ */

/* A free one is asked for and then configured; another program may be quicker, so that is tried again. */
static int loop_configure(struct volumes *v, int control, int file)
{
    struct loop_config config = {
        .fd = (uint32_t)file,
        .info = {.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO}};
    for (int try = 0; try < TRIES; try++) {
        char path[32];
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        if (number < 0) return failed(v, "no loop device is free", errno);
        snprintf(path, sizeof path, "/dev/loop%d", number);
        int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
        if (fd < 0) return failed(v, path, errno);
        if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) return fd;
        int error = errno;
        close(fd);
        if (error != EBUSY) return failed(v, "a loop device cannot be configured", error);
    }
    return failed(v, "no loop device stays free", EBUSY);
}

static int loop_open(struct volumes *v, const char *path)
{
    struct loop_info64 info;
    struct stat status;
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) return failed(v, "loop devices are not to be had (/dev/loop-control)", errno);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int fd = file < 0 ? failed(v, path, errno) : loop_configure(v, control, file);
    close(control);
    if (file >= 0) close(file);
    if (fd < 0) return fd;
    v->fd[v->count] = fd;
    if (fstat(fd, &status) < 0) return failed(v, "a loop device", errno);
    v->number[v->count][0] = major(status.st_rdev);
    v->number[v->count++][1] = minor(status.st_rdev);
    if (ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && !(info.lo_flags & LO_FLAGS_DIRECT_IO))
        return failed(v, "the file system gives loop devices no direct I/O", ENOTSUP);
    return 0;
}

/* ---- volumes ----------------------------------------------------------------------------------- */

int volumes_open(struct volumes *v, const struct data *files, unsigned count,
                 const struct limits *limits)
{
    int result = 0;
    memset(v, 0, sizeof *v);
    for (unsigned i = 0; i < VOLUMES_MAX; i++)
        v->fd[i] = -1;
    v->limited = limits->iops > 0 || limits->bytes_per_s > 0;
    for (unsigned i = 0; i < count && result == 0; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%u", files->path, i);
        if (v->limited) {
            result = loop_open(v, path);
            continue;
        }
        v->fd[v->count] = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
        result = v->fd[v->count++] < 0 ? failed(v, path, errno) : 0;
    }
    if (result == 0 && v->limited) result = group_enter(v);
    if (result == 0 && v->limited) result = volumes_limit(v, limits);
    return result;
}

void volumes_close(struct volumes *v)
{
    group_leave(v);
    for (unsigned i = 0; i < VOLUMES_MAX; i++)
        if (v->fd[i] >= 0) close(v->fd[i]);
    v->count = 0;
}
