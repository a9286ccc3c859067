/*
 * Collects what became of the pieces: counts it, prints the lines, and shows the progress on a
 * terminal. Any thread may call the functions that add.
 */
#ifndef ZCSERVE_PRECOMPRESS_OUTCOMES_H
#define ZCSERVE_PRECOMPRESS_OUTCOMES_H

#include <pthread.h>
#include <stdio.h>

#include "precompress/piece.h"

/* Something that is wrong. */
struct trouble {
    char *path; /* of the sidecar; of the original or the directory with CODING_IDENTITY */
    enum coding coding;
    enum outcome outcome;
    int error; /* of FAILED */
};

struct coding_outcomes {
    uint64_t count[OUTCOMES];
    /* of the sidecars that are there at the end, and of their originals */
    uint64_t sidecar_bytes, original_bytes;
};

struct outcomes {
    pthread_mutex_t mutex;
    const struct precompress_wishes *wishes;
    FILE *lines; /* where a line for a sidecar goes */
    struct coding_outcomes of[CODING_COUNT];
    uint64_t files;     /* whose type is compressed                      */
    uint64_t too_large; /* of these: left alone because of --max-size     */
    uint64_t failed;    /* files and directories that cannot be looked at */
    struct trouble *troubles;
    size_t trouble_count, trouble_room;
    /* the progress */
    bool shows; /* on standard error */
    uint64_t cost_done, cost_all, pieces_done, pieces_all;
};

void outcomes_open(struct outcomes *outcomes, const struct precompress_wishes *wishes, FILE *lines);
void outcomes_close(struct outcomes *outcomes);

/* A file whose type is compressed was found. */
void outcomes_add_file(struct outcomes *outcomes);

/* It is left alone, because it is too large. Prints that. */
void outcomes_add_too_large(struct outcomes *outcomes, const char *path);

/* A file or a directory cannot be looked at. Prints why. */
void outcomes_add_failure(struct outcomes *outcomes, const char *path, int error);

/* A sidecar of `path` has this result. Prints it where that is wished, or something is wrong. */
void outcomes_add(struct outcomes *outcomes, const char *path, enum coding coding,
                  const struct piece_result *result);

/* How much work there is; then a piece of it was done. */
void outcomes_expect(struct outcomes *outcomes, uint64_t pieces, uint64_t cost);
void outcomes_advance(struct outcomes *outcomes, uint64_t cost);

/* Shows how far the work is, in a line that the next call draws again; takes that line away. */
void outcomes_show(struct outcomes *outcomes);
void outcomes_clear(struct outcomes *outcomes);

/* Prints a line to standard error. */
void outcomes_say(struct outcomes *outcomes, const char *text);

/* Returns whether something failed, was not done, or is wrong. */
bool outcomes_are_bad(const struct outcomes *outcomes);

/* Returns what an outcome is called: "missing", and in JSON "not_worth_it". */
const char *outcome_word(enum outcome outcome);

#endif
