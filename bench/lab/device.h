/*
 * What the laboratory does with the block device below its data: it reads the counters
 * (/sys/dev/block/…/stat, see the kernel's Documentation/block/stat.rst), and sets read-ahead for a while.
 * Which device that is, and its settings: doctor/device.h.
 */
#ifndef LAB_DEVICE_H
#define LAB_DEVICE_H

#include "doctor/device.h"
#include "doctor/kernel_file.h"

/* What its counters say since the machine was started. */
struct device_counts {
    double reads, read_bytes, writes, write_bytes;
    double queue_s; /* sum over all requests of the time that each spent at the device */
};
void device_counts_read(const struct device *device, struct device_counts *counts);
void device_counts_since(struct device_counts *now, const struct device_counts *before);

/*
 * Sets read_ahead_kb (needs root), and sets it back; also when the program ends by exit() or by INT.
 * Returns 0 or -errno.
 */
int device_read_ahead_set(const struct device *device, unsigned kib);
void device_read_ahead_restore(void);

#endif
