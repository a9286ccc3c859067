/*
 * Less memory or a slower disk for some processes, by a control group: of version 2 (Documentation/admin-guide/
 * cgroup-v2.rst in the kernel's sources) where it has the controller, else of version 1 (cgroup-v1/memory.rst and
 * blkio-controller.rst). A group is made below the root of the hierarchy, and removed when it is closed; of a
 * program that was killed an empty one is left at most, and the next one removes it. It needs root.
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
    bool version_2, enabled; /* enabled: the controller was put on for the groups below the root */
    char path[300],
        home[300]; /* the group, "": none; where this process was before, "": it did not enter */
    char why[200]; /* why something failed, for people */
};

/* Makes a group. 0, or -errno and the reason. `mounts` is CONTROL_GROUP_MOUNTS but in tests. */
int control_group_open(struct control_group *g, enum controller controller, const char *mounts);

/* Puts this process, or another one and so its children to come, into the group. 0, or -errno and the reason. */
int control_group_enter(struct control_group *g);
int control_group_add(struct control_group *g, pid_t pid);

/* What all processes in the group may have together. 0, or -errno and the reason. */
int control_group_memory(struct control_group *g, uint64_t bytes);
/* Reads of a whole disk or a loop device, a second; 0: not limited. */
int control_group_reads(struct control_group *g, unsigned major, unsigned minor, uint64_t iops,
                        uint64_t bytes);

/* Drops what was read into memory, and the names that were looked up, by processes in the group and by nobody before
 * (memory.reclaim from Linux 5.19 on, or memory.force_empty). 0, or -errno and the reason. */
int control_group_forget(struct control_group *g);

/* This process goes back. 0, or -errno and the reason. */
int control_group_leave(struct control_group *g);

/* This process goes back, and the group is removed; others have to have ended. Nothing happens when there is none. */
void control_group_close(struct control_group *g);

#endif
