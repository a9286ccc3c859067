/*
 * The block device that holds a file: what it is, and its counters (/sys/dev/block/…/stat, see the kernel's
 * Documentation/block/stat.rst). A file system over several devices, or over none, has no such device.
 */
#ifndef LAB_DEVICE_H
#define LAB_DEVICE_H

#include <stdbool.h>

struct device {
    char name[32];        /* "vda", "nvme0n1"; "" when not known */
    char stat[96];        /* path of its counters */
    char queue[96];       /* path of its settings; for a partition, those of the whole disk */
    char file_system[24]; /* "ext4" */
    char options[192];    /* mount options */
    bool counted;         /* there are counters */
    bool in_memory;       /* tmpfs, zram, brd: no disk at all */
};

/* Finds the device of the file or directory `path`. Returns 0 or -errno. */
int device_of(struct device *device, const char *path);

/* What its counters say since the machine was started. */
struct device_counts {
    double reads, read_bytes, writes, write_bytes;
    double queue_s; /* sum over all requests of the time that each spent at the device */
};
void device_counts_read(const struct device *device, struct device_counts *counts);
void device_counts_since(struct device_counts *now, const struct device_counts *before);

/* Returns a setting of its queue as text ("scheduler", "read_ahead_kb", …); "" when there is none. */
const char *device_setting(const struct device *device, const char *name, char into[128]);

/* Sets the number of the whole disk, as control groups need it. Returns false when there is no disk. */
bool device_number(const struct device *device, unsigned *major, unsigned *minor);

/*
 * Sets read_ahead_kb (needs root), and sets it back; also when the program ends by exit() or by INT.
 * Returns 0 or -errno.
 */
int device_read_ahead_set(const struct device *device, unsigned kib);
void device_read_ahead_restore(void);

#endif
