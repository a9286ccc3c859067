/*
 * The state of the supervisor, which its files share: supervise.c (the loop, the stages of a stop),
 * generations.c (reload), successor.c (upgrade) and heartbeat.c (processes that hang).
 */
#ifndef ZCSERVE_PROCESS_SUPERVISION_H
#define ZCSERVE_PROCESS_SUPERVISION_H

#include "process/supervised.h"

#define STOP_NS NS_PER_SECOND         /* from "stop at once" to KILL              */
#define LAST_NS (5 * NS_PER_SECOND)   /* for the `last` processes, after finish() */
#define LOOK_NS (10 * NS_PER_MS)      /* how often it is looked whether new processes serve */
#define START_NS (30 * NS_PER_SECOND) /* for new processes, until all of them serve */
#define NEVER UINT64_MAX

enum stage { SERVING, ANNOUNCING, DRAINING, STOPPING, KILLING, FINISHING, LEAVING };

struct supervision {
    struct supervised *process;
    uint32_t count;
    const struct supervise_options *options;
    enum stage stage;
    uint64_t deadline_ns;        /* when the stage has lasted too long                        */
    uint64_t adjust_ns;          /* when to call options->adjust again                        */
    bool ended;                  /* a process has ended since absence() was last considered   */
    bool served;                 /* a process has lived for longer than SUPERVISED_AT_ONCE_NS */
    bool reload_asked;           /* HUP came, and its generation is not made yet              */
    uint64_t next_until_ns;      /* when the generation NEXT must serve; 0: there is none     */
    bool begun;                  /* options->begun() has returned true                        */
    uint64_t watch_ns;           /* when to look again for processes that hang                */
    bool upgrade_asked;          /* USR2 came, and there is no successor yet                  */
    pid_t successor;             /* the supervisor of the new program; 0: there is none       */
    uint64_t successor_until_ns; /* when it must serve                                   */
    pid_t pid;                   /* of the supervisor                                         */
    int result;                  /* what supervise() returns                                  */
};

/* Returns whether processes accept connections, and those that ended are started again. */
static inline bool supervise_accepts(const struct supervision *s)
{
    return s->stage == SERVING || s->stage == ANNOUNCING;
}

/* The processes drain from now on. */
void supervise_drain(struct supervision *s);

#endif
