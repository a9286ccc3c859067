/* One piece of work: one sidecar of one file, from the first look at it to its outcome. */
#ifndef ZCSERVE_PRECOMPRESS_PIECE_H
#define ZCSERVE_PRECOMPRESS_PIECE_H

#include "precompress/docroot.h"
#include "precompress/gate.h"

struct piece {
    const char *path; /* of the original, beneath the directory */
    enum coding coding;
    uint64_t size; /* of the original when the directory was read */
};

enum outcome {
    OUTCOME_CURRENT,   /* it is right already: by its time, or, with --check, by its content      */
    OUTCOME_MADE,      /* it was written                                                          */
    OUTCOME_DATED,     /* its content was right already, and it got the time of its original      */
    OUTCOME_NOT_WORTH, /* there is none, and it would not save enough                             */
    OUTCOME_REMOVED,   /* --prune                                                                 */
    OUTCOME_MISSING,   /* --check: it would save enough                                           */
    OUTCOME_STALE,     /* the server does not use it, or it is of another content, and it was not */
                       /* made again because it would not save enough                             */
    OUTCOME_DIFFERENT, /* --check: the server uses it, and its content is another                 */
    OUTCOME_FAILED,    /* see `error`                                                             */
    OUTCOME_GONE,      /* the original is not there any more                                      */
    OUTCOMES
};

struct piece_result {
    enum outcome outcome;
    int error;                            /* FAILED: an errno, see piece_problem()          */
    uint64_t original_size, sidecar_size; /* in bytes; of the sidecar when there is one now */
};

/*
 * Does the piece as the wishes say; with `check` and `dry_run` it writes nothing. When the original
 * changes meanwhile, it begins again, a few times. Any number of threads may call this, for
 * different pieces.
 */
void piece_do(const struct docroot *docroot, struct gate *gate, const struct piece *piece,
              struct piece_result *result);

/* Returns the reason of a failure in words. Not for several threads at once. */
const char *piece_problem(int error);

/* Returns whether an error means that nothing more can be written anywhere near. */
bool piece_error_is_final(int error);

#endif
