/*
 * Experiment 13, cloud volumes: files as block devices that the block layer limits in IOPS and bytes per
 * second. volumes.c is the lesson, volumes_limited.c makes the devices, and volumes_find.c says what the
 * figures mean.
 */
#ifndef LAB_VOLUMES_H
#define LAB_VOLUMES_H

#include "../control_group.h"
#include "../experiment.h"

enum { VOLUMES_MAX = 8 };

/* Limits of one volume, for reads; 0: no limit. */
struct limits {
    uint64_t iops, bytes_per_s;
};

/*
 * Volumes that are open for reading with O_DIRECT. Limited ones are loop devices (loop(4), read-only, with
 * direct I/O), which are gone when they are closed, or when the program is killed. While they are open,
 * this process is in a control group of its own: blkio of version 1, or io.max of version 2.
 */
struct volumes {
    int fd[VOLUMES_MAX];
    unsigned number[VOLUMES_MAX][2]; /* major, minor */
    unsigned count;
    bool limited;
    struct control_group group;
    char why[200]; /* why they could not be opened */
};

/*
 * Opens `count` of the files, as they are or limited. Returns 0, or -errno with the reason; volumes_close()
 * must always follow.
 */
int volumes_open(struct volumes *v, const struct data *files, unsigned count,
                 const struct limits *limits);
/* Gives open volumes other limits. Returns 0 or -errno. */
int volumes_limit(struct volumes *v, const struct limits *limits);
void volumes_close(struct volumes *v);

/* Says what the figures mean (volumes_find.c). */
void volumes_find(const struct table *t, struct findings *into);

#endif
