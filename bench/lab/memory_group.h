/*
 * Less memory for this process and for the pages that it has read, by a cgroup of version 2 (kernel:
 * Documentation/admin-guide/cgroup-v2.rst): a group below the root of the hierarchy with memory.max, entered for
 * a while. It needs root, and a root that hands the memory controller down (systemd's does). What was
 * charged before stays with the group that it was charged to, so evict first.
 */
#ifndef LAB_MEMORY_GROUP_H
#define LAB_MEMORY_GROUP_H

#include <stdint.h>

#define MEMORY_GROUP_ROOT "/sys/fs/cgroup"

/* Why there can be no such group here; NULL: there can. `root` is MEMORY_GROUP_ROOT but in tests. */
const char *memory_group_hindrance(const char *root);

/* Enters a group with so many bytes; 0 or -errno. It is left by memory_group_leave(), or by exit(). */
int memory_group_enter(const char *root, uint64_t bytes);

/* Goes back to where this process was, and removes the group. Nothing happens when none was entered. */
void memory_group_leave(void);

#endif
