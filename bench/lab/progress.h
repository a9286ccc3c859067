/*
 * Prints progress to standard error: on a terminal one line that is rewritten, else a line every ten
 * seconds.
 */
#ifndef LAB_PROGRESS_H
#define LAB_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *name; /* of the experiment */
    bool terminal, shown;
    uint64_t told_ns; /* when a line was last written */
};

void progress_begin(struct progress *progress, const char *name);
/* `done` of `total` measurements are done, `left_s` seconds are left, and `what` is being measured. */
void progress_measuring(struct progress *progress, unsigned done, unsigned total, double left_s,
                        const char *what);
/* So many bytes of a data set are made. */
void progress_making(struct progress *progress, uint64_t done, uint64_t total);
/* Clears the line, so that something else can be printed. */
void progress_end(struct progress *progress);

#endif
