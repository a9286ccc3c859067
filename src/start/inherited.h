/*
 * Listening sockets that another program opened: the predecessor after an upgrade (upgrade.c), or
 * the service manager (sd_listen_fds(3)).
 */
#ifndef ZCSERVE_START_INHERITED_H
#define ZCSERVE_START_INHERITED_H

#include "start/program.h"

/*
 * The variable by which a predecessor hands over: lines of "KIND DESCRIPTOR[,DESCRIPTOR…] ADDRESS".
 * The kinds: "listen" and "given" (sockets that the service manager opened first), "status", and
 * "report" (the writing end of a pipe; without an address).
 */
#define INHERITED_VARIABLE "ZCSERVE_INHERITED"

#define INHERITED_SERVES '\6' /* ACK: the successor reports that it serves; text is a problem */

struct inherited {
    struct program before; /* its listeners are taken over as after a reload; nothing else is set */
    FILE *report;          /* to the predecessor; NULL: there is none                             */
};

/*
 * Takes the descriptors that the environment names, and removes the variables. The descriptors are
 * close-on-exec afterwards, and the listeners non-blocking. Returns false with one line in `problem`
 * when the environment is wrong. inherited_close() must follow in any case.
 */
bool inherited_take(struct inherited *inherited, char *problem, size_t size);

/* Logs the addresses that were inherited, but on which `now` does not listen. */
void inherited_warn(const struct inherited *inherited, const struct program *now);

/* Returns the program to take listeners over from, for program_open(); NULL: there is none. */
const struct program *inherited_before(const struct inherited *inherited);

/*
 * Closes what was inherited. Files of Unix sockets that the predecessor opened are removed when
 * `after` does not listen on them; NULL: all stay, because the predecessor goes on.
 */
void inherited_close(struct inherited *inherited, const struct program *after);

/* For a process of the server, which needs no copies: closes them, and reports nothing. */
void inherited_leave(struct inherited *inherited);

/*
 * For the predecessor: the value of the variable, with the listeners of `now` and the descriptor
 * `report`. Returns NULL when there is no memory; the caller frees it.
 */
char *inherited_format(const struct program *now, int report);

#endif
