/*
 * "Who, and when?" The ways in which connections are accepted and served.
 */
#ifndef ZCSERVE_MODEL_H
#define ZCSERVE_MODEL_H

#include "zcserve/worker.h"

/*
 * The whole life of one worker process, from its first accept until a stop was asked for and its
 * connections have ended. `of` is the struct service. Gives the exit code.
 */
int epoll_run(const void *of, uint32_t index);
int uring_run(const void *of, uint32_t index);

/* Whether io_uring works here: NULL, or what the kernel lacks or forbids and what to change. */
const char *uring_problem(void);

#endif
