/*
 * Files whose pages can be dropped from the page cache, so that the disk has to be waited for.
 */
#ifndef CORE_DISK_H
#define CORE_DISK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns a file of that length without a name. Its bytes are those of core_site_byte(). The caller closes
 * it.
 */
int core_disk_file(size_t length);

/*
 * Drops its pages. Returns false where that is impossible or cannot be verified (tmpfs, overlayfs): then
 * there is nothing to test, and CORE_DISK_NONE is the reason to skip it.
 */
#define CORE_DISK_NONE "/var/tmp is not on a file system that tells what is in the page cache"
bool core_disk_drop(int fd);

/* Reads that part of it, without read-ahead. */
void core_disk_read(int fd, size_t offset, size_t length);

#endif
