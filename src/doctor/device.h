/*
 * The block device that holds a file: what it is, and the settings of its queue
 * (/sys/dev/block/MAJOR:MINOR/queue, see the kernel's Documentation/ABI/stable/sysfs-block). A file
 * system over several devices, or over none, has no such device.
 */
#ifndef ZCSERVE_DOCTOR_DEVICE_H
#define ZCSERVE_DOCTOR_DEVICE_H

#include <stdbool.h>

struct device {
    const char *tree;      /* as in kernel_file.h */
    char name[32];         /* "vda", "nvme0n1"; "" when not known */
    char stat[96];         /* path of its counters */
    char queue[96];        /* path of its settings; for a partition, those of the whole disk */
    char file_system[24];  /* "ext4" */
    char mount_point[128]; /* "/srv"; cut when it is longer */
    char options[192];     /* mount options */
    bool counted;          /* there are counters */
    bool in_memory;        /* tmpfs, zram, brd: no disk at all */
};

/* Finds the device of the file or directory `path`. Returns 0 or -errno. */
int device_of(struct device *device, const char *tree, const char *path);

/*
 * Returns a setting of its queue as text ("scheduler", "read_ahead_kb", …); "" when there is none.
 */
const char *device_setting(const struct device *device, const char *name, char into[128]);

/*
 * Sets the number of the whole disk, as control groups need it. Returns false when there is no
 * disk.
 */
bool device_number(const struct device *device, unsigned *major, unsigned *minor);

#endif
