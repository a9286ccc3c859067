/*
 * Upgrade: the running server starts the program anew, from the same path and with the same
 * arguments, and hands its listeners over.
 */
#ifndef ZCSERVE_START_UPGRADE_H
#define ZCSERVE_START_UPGRADE_H

#include "start/program.h"

/*
 * Keeps a copy of the arguments, because reading them changes them. Returns false when there is no
 * memory.
 */
bool upgrade_remember(int argc, char **argv);

/* For struct supervise_options (supervise.h); `of` is the server. */
pid_t upgrade_begin(const void *of);
bool upgrade_succeeded(const void *of);
void upgrade_failed(const void *of, const char *why);

#endif
