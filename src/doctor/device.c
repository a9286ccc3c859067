/* Finds the block device that holds a file, by its number in /sys and its line in /proc/self/mountinfo. */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Finds the last mount whose point is a prefix of the path: its type, options and source. */
static void mount_find(struct device *device, const char *path, char source[128])
{
    char *line = NULL, real[PATH_MAX];
    size_t size = 0, longest = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file || !realpath(path, real)) strcpy(real, "/");
    while (file && getline(&line, &size, file) > 0) {
        char point[512], options[160], type[24], from[128], super[160];
        const char *rest = strstr(line, " - ");
        if (sscanf(line, "%*s %*s %*s %*s %511s %159s", point, options) != 2 || !rest) continue;
        if (sscanf(rest, " - %23s %127s %159s", type, from, super) != 3) continue;
        size_t length = strcmp(point, "/") != 0 ? strlen(point) : 0;
        if (strncmp(real, point, length) != 0 || (real[length] && real[length] != '/')) continue;
        if (length < longest) continue;
        longest = length;
        strcpy(device->file_system, type);
        strcpy(source, from);
        snprintf(device->options, sizeof device->options, "%.90s;%.90s", options, super);
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
    snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major_number, minor_number);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0) return;
    target[length] = '\0';
    snprintf(device->name, sizeof device->name, "%.31s", strrchr(target, '/') + 1);
    snprintf(device->stat, sizeof device->stat, "%s/stat", link);
    device->counted = access(device->stat, R_OK) == 0;
    snprintf(path, sizeof path, "%s/partition", link);
    snprintf(device->queue, sizeof device->queue, "%s/%squeue", link,
             access(path, F_OK) == 0 ? "../" : "");
}

int device_of(struct device *device, const char *path)
{
    struct stat status, node;
    char source[128] = "";
    memset(device, 0, sizeof *device);
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

void device_counts_read(const struct device *device, struct device_counts *counts)
{
    double reads, read_sectors, writes, write_sectors, read_ms, write_ms;
    memset(counts, 0, sizeof *counts);
    FILE *file = device->counted ? fopen(device->stat, "re") : NULL;
    if (!file) return;
    /* A sector has 512 bytes here, whatever the sectors of the device are. */
    if (fscanf(file, "%lf %*f %lf %lf %lf %*f %lf %lf", &reads, &read_sectors, &read_ms, &writes,
               &write_sectors, &write_ms) == 6)
        *counts = (struct device_counts){reads, read_sectors * 512, writes, write_sectors * 512,
                                         (read_ms + write_ms) / 1e3};
    fclose(file);
}

void device_counts_since(struct device_counts *now, const struct device_counts *before)
{
    now->reads -= before->reads;
    now->read_bytes -= before->read_bytes;
    now->writes -= before->writes;
    now->write_bytes -= before->write_bytes;
    now->queue_s -= before->queue_s;
}

bool device_number(const struct device *device, unsigned *major, unsigned *minor)
{
    char path[128];
    snprintf(path, sizeof path, "%s/../dev", device->queue);
    FILE *file = device->queue[0] ? fopen(path, "re") : NULL;
    bool found = file && fscanf(file, "%u:%u", major, minor) == 2;
    if (file) fclose(file);
    return found;
}

const char *device_setting(const struct device *device, const char *name, char into[128])
{
    char path[160];
    into[0] = '\0';
    snprintf(path, sizeof path, "%s/%s", device->queue, name);
    FILE *file = device->queue[0] ? fopen(path, "re") : NULL;
    if (!file) return into;
    if (!fgets(into, 128, file)) into[0] = '\0';
    into[strcspn(into, "\n")] = '\0';
    fclose(file);
    return into;
}

static char changed_path[160], changed_from[128];

static int setting_write(const char *path, const char *value)
{
    FILE *file = fopen(path, "we");
    if (!file) return -errno;
    int failed = fputs(value, file) < 0;
    if (fclose(file) != 0 || failed) return -errno;
    return 0;
}

void device_read_ahead_restore(void)
{
    if (changed_path[0]) setting_write(changed_path, changed_from);
    changed_path[0] = '\0';
}

int device_read_ahead_set(const struct device *device, unsigned kib)
{
    static bool registered;
    char value[16], before[128];
    if (!registered && atexit(device_read_ahead_restore) == 0) registered = true;
    if (!*device_setting(device, "read_ahead_kb", before)) return -ENOTSUP;
    char path[160];
    snprintf(path, sizeof path, "%s/read_ahead_kb", device->queue);
    snprintf(value, sizeof value, "%u", kib);
    int result = setting_write(path, value);
    if (result == 0 && !changed_path[0]) {
        strcpy(changed_from, before);
        strcpy(changed_path, path);
    }
    return result;
}
