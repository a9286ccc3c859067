/*
 * The work of experiment 12: where CPUs are, two threads that talk to each other, and one thread beside
 * neighbours. The functions of struct work are trip_… and victim_….
 */
#ifndef LAB_PLACEMENT_WORK_H
#define LAB_PLACEMENT_WORK_H

#include "../experiment.h"

#include <pthread.h>
#include <sched.h>

enum { PLACE_CPUS_MAX = 256, HOGS_MAX = 2, READ_BYTES = 4096 };

/* Returns a CPU of this process at this distance from `cpu`; -1: there is none. */
enum distance { SAME_CPU, SIBLING, OTHER_CORE, OTHER_NODE };
int cpu_at(int cpu, enum distance distance);

/* Pins the calling thread; -1: as it was. Returns 0 or -errno. */
int cpu_pin(int cpu);

/*
 * Two threads: the main one asks, the partner answers. The owner sets it to zero, except the first block.
 */
struct trip {
    const char *means; /* spin, futex, pipe, or stream: 64 KiB at a time in one direction */
    int cpu[2];        /* -1: not pinned */

    _Atomic uint32_t turn; /* 0: the main thread, 1: the partner; it is a futex */
    atomic_bool over;
    int there[2], back[2]; /* pipes */
    char *chunk, *partner_chunk;
    pthread_t partner;
    bool partner_started, pinned;
    cpu_set_t before;
};
int trip_open(void *trip);
int trip_run(void *trip, struct measure *m);
void trip_close(void *trip);

/*
 * One thread on a CPU, and neighbours that disturb it. The owner sets it to zero, except the first block.
 */
struct victim {
    const char *work;        /* compute, wake (how late) or read (4 KiB with O_DIRECT) */
    const struct data *data; /* for read, and for neighbours on the disk */
    int cpu;                 /* -1: not pinned */
    int hog_cpu;             /* the CPU of a neighbour that computes; -1: none */
    bool hog_disk;           /* neighbours read in pieces of 1 MiB */
    const char *device;      /* the device whose interrupts are counted: "vda"; NULL: none */

    atomic_bool over;
    int fd;
    char *buffer;
    uint64_t random;
    pthread_t hog[HOGS_MAX];
    char *hog_buffer[HOGS_MAX];
    unsigned hogs;
    _Atomic unsigned hogs_begun;
    bool pinned;
    cpu_set_t before;
};
int victim_open(void *victim);
int victim_run(void *victim, struct measure *m);
void victim_close(void *victim);

/*
 * Reads the interrupts of a block device since the machine was started: into[cpu]. It takes the lines of
 * /proc/interrupts that name the driver of the device ("nvme0q1", "virtio0-req.0") or its PCI address.
 * Returns false when there are none.
 */
bool interrupts_read(const char *device, double into[PLACE_CPUS_MAX]);

#endif
