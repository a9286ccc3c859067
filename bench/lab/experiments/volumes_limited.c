/*
 * Experiment 13: loop devices, and the throttle of the block layer. volumes_close() removes what is made
 * here.
 */
#include "volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
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

/* When the group fails, its reason is the reason why the volumes failed. */
static int group_answered(struct volumes *v, int result)
{
    if (result < 0) snprintf(v->why, sizeof v->why, "%s", v->group.why);
    return result;
}

int volumes_limit(struct volumes *v, const struct limits *limits)
{
    int result = 0;
    for (unsigned i = 0; i < v->count && result == 0; i++)
        result = control_group_reads(&v->group, v->number[i][0], v->number[i][1], limits->iops,
                                     limits->bytes_per_s);
    return group_answered(v, result);
}

static int group_enter(struct volumes *v)
{
    int result = control_group_open(&v->group, CONTROLLER_IO, CONTROL_GROUP_MOUNTS);
    if (result == 0) result = control_group_enter(&v->group);
    return group_answered(v, result);
}

/* ---- loop devices ------------------------------------------------------------------------------ */

/* Asks for a free loop device and configures it. Another program may be faster, so this is tried again. */
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
    if (control < 0)
        return failed(v, "loop devices cannot be used here (/dev/loop-control)", errno);
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
        return failed(v, "this file system does not allow direct I/O for loop devices", ENOTSUP);
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
    control_group_close(&v->group);
    for (unsigned i = 0; i < VOLUMES_MAX; i++)
        if (v->fd[i] >= 0) close(v->fd[i]);
    v->count = 0;
}
