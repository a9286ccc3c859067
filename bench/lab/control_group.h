/*
 * Limits the memory or the disk of some processes by a control group: of version 2
 * (Documentation/admin-guide/cgroup-v2.rst in the kernel's sources) where that has the controller, else of
 * version 1 (cgroup-v1/memory.rst and blkio-controller.rst). A group is made below the root of the
 * hierarchy, and removed when it is closed. A program that is killed leaves an empty group, which the next
 * run removes. All this needs root.
 */
#ifndef LAB_CONTROL_GROUP_H
#define LAB_CONTROL_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_GROUP_MOUNTS "/proc/self/mounts"

enum controller { CONTROLLER_MEMORY, CONTROLLER_IO };

struct control_group {
    enum controller controller;
    bool version_2, enabled; /* enabled: we switched the controller on */
    char path[300],
        home[300]; /* the group, "": none; where this process was before, "": it has not entered */
    char why[200]; /* why something failed, for people */
};

/* Makes a group. Returns 0, or -errno and the reason. `mounts` is CONTROL_GROUP_MOUNTS except in tests. */
int control_group_open(struct control_group *g, enum controller controller, const char *mounts);

/*
 * Puts this process, or another one with its future children, into the group. Returns 0, or -errno and the
 * reason.
 */
int control_group_enter(struct control_group *g);
int control_group_add(struct control_group *g, pid_t pid);

/* Limits the memory of all processes in the group together. Returns 0, or -errno and the reason. */
int control_group_memory(struct control_group *g, uint64_t bytes);
/* Limits the reads per second of a whole disk or a loop device; 0: no limit. */
int control_group_reads(struct control_group *g, unsigned major, unsigned minor, uint64_t iops,
                        uint64_t bytes);

/*
 * Drops what processes of the group, and nobody before them, have read into memory or looked up by name
 * (memory.reclaim from Linux 5.19 on, or memory.force_empty). Returns 0, or -errno and the reason.
 */
int control_group_forget(struct control_group *g);

/* Takes this process back out of the group. Returns 0, or -errno and the reason. */
int control_group_leave(struct control_group *g);

/*
 * Takes this process out and removes the group; other processes in it must have ended. Does nothing without
 * a group.
 */
void control_group_close(struct control_group *g);

#endif
