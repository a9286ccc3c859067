/* The counters of a block device, and its read-ahead. */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
