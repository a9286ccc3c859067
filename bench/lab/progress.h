/* Progress: on a terminal one line that is rewritten, else a line every ten seconds. To standard error. */
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
/* `done` of `total` measurements, and how many seconds are left; `what` is being measured. */
void progress_measuring(struct progress *progress, unsigned done, unsigned total, double left_s,
                        const char *what);
/* Bytes of a data set. */
void progress_making(struct progress *progress, uint64_t done, uint64_t total);
/* Takes the line away, so that something else can be said. */
void progress_end(struct progress *progress);

#endif
