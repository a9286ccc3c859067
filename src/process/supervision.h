/*
 * The state of the supervisor, which its files share: supervise.c (the loop, the stages of a stop)
 * and generations.c (reload).
 */
#ifndef ZCSERVE_PROCESS_SUPERVISION_H
#define ZCSERVE_PROCESS_SUPERVISION_H

#include "process/supervised.h"

#define STOP_NS NS_PER_SECOND       /* from "stop at once" to KILL              */
#define LAST_NS (5 * NS_PER_SECOND) /* for the `last` processes, after finish() */
#define NEVER UINT64_MAX

enum stage { SERVING, DRAINING, STOPPING, KILLING, FINISHING, LEAVING };

struct supervision {
    struct supervised *process;
    uint32_t count;
    const struct supervise_options *options;
    enum stage stage;
    uint64_t deadline_ns;   /* when the stage has lasted too long                        */
    uint64_t adjust_ns;     /* when to call options->adjust again                        */
    bool ended;             /* a process has ended since absence() was last considered   */
    bool served;            /* a process has lived for longer than SUPERVISED_AT_ONCE_NS */
    bool reload_asked;      /* HUP came, and its generation is not made yet              */
    uint64_t next_until_ns; /* when the generation NEXT must serve; 0: there is none     */
    pid_t pid;              /* of the supervisor                                         */
    int result;             /* what supervise() returns                                  */
};

#endif
