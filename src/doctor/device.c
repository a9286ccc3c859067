/* Finds the device by its number in /sys, and its mount in /proc/self/mountinfo. */
#include "doctor/device.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "doctor/kernel_file.h"

/* Finds the last mount whose point is a prefix of the path: its type, options and source. */
static void mount_find(struct device *device, const char *path, char source[128])
{
    char *line = NULL, real[PATH_MAX];
    size_t size = 0, longest = 0;
    FILE *file = kernel_open(device->tree, "/proc/self/mountinfo");
    if (!file || !realpath(path, real)) snprintf(real, sizeof(real), "/");
    while (file && getline(&line, &size, file) > 0) {
        char point[512], options[160], type[24], from[128], super[160];
        const char *rest = strstr(line, " - ");
        if (sscanf(line, "%*s %*s %*s %*s %511s %159s", point, options) != 2 || !rest) continue;
        if (sscanf(rest, " - %23s %127s %159s", type, from, super) != 3) continue;
        size_t length = strcmp(point, "/") != 0 ? strlen(point) : 0;
        if (strncmp(real, point, length) != 0 || (real[length] && real[length] != '/')) continue;
        if (length < longest) continue;
        longest = length;
        snprintf(device->file_system, sizeof(device->file_system), "%s", type);
        snprintf(source, 128, "%s", from);
        snprintf(device->mount_point, sizeof(device->mount_point), "%.127s", point);
        snprintf(device->options, sizeof(device->options), "%.90s;%.90s", options, super);
    }
    for (char *c = device->options; *c; c++)
        if (*c == '"') *c = ' ';
    free(line);
    if (file) fclose(file);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void paths_find(struct device *device, unsigned major_number, unsigned minor_number)
{
    char link[64], target[256], path[128];
    snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major_number, minor_number);
    if (!kernel_link(device->tree, link, target, sizeof(target))) return;
    const char *slash = strrchr(target, '/');
    snprintf(device->name, sizeof(device->name), "%.31s", slash ? slash + 1 : target);
    snprintf(device->stat, sizeof(device->stat), "%s/stat", link);
    device->counted = kernel_exists(device->tree, device->stat);
    snprintf(path, sizeof(path), "%s/partition", link);
    snprintf(device->queue, sizeof(device->queue), "%s/%squeue", link,
             kernel_exists(device->tree, path) ? "../" : "");
}

int device_of(struct device *device, const char *tree, const char *path)
{
    struct stat status, node;
    char source[128] = "";
    *device = (struct device){.tree = tree};
    if (stat(path, &status) < 0) return -errno;
    mount_find(device, path, source);
    dev_t number = status.st_dev;
    /* The number of btrfs and others belongs to no device. The source of the mount may name one. */
    if (major(number) == 0 && begins(source, "/dev/") && stat(source, &node) == 0)
        number = node.st_rdev;
    paths_find(device, major(number), minor(number));
    device->in_memory = !strcmp(device->file_system, "tmpfs") ||
                        !strcmp(device->file_system, "ramfs") || begins(device->name, "zram") ||
                        begins(device->name, "ram");
    return 0;
}

bool device_number(const struct device *device, unsigned *major, unsigned *minor)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/../dev", device->queue);
    FILE *file = device->queue[0] ? kernel_open(device->tree, path) : NULL;
    bool found = file && fscanf(file, "%u:%u", major, minor) == 2;
    if (file) fclose(file);
    return found;
}

const char *device_setting(const struct device *device, const char *name, char into[128])
{
    char path[160];
    into[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", device->queue, name);
    if (device->queue[0]) kernel_line(device->tree, path, into, 128);
    return into;
}
