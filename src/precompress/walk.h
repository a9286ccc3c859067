/* Reads the directory and all below it, and finds what has to be done. */
#ifndef ZCSERVE_PRECOMPRESS_WALK_H
#define ZCSERVE_PRECOMPRESS_WALK_H

#include "precompress/outcomes.h"

struct work {
    struct piece *pieces; /* the most expensive first; their paths are in `paths` */
    size_t count, room;
    char **paths;
    size_t path_count, path_room;
};

/*
 * Fills `work`. What needs no work is counted in `outcomes`, and so is what cannot be looked at.
 * Every directory is read once, by whatever names it can be reached. Temporary files of a run that
 * was killed are removed, unless nothing may be written. Returns false without memory. work_free()
 * frees `work` in both cases.
 */
bool walk(const struct docroot *docroot, struct outcomes *outcomes, struct work *work);
void work_free(struct work *work);

#endif
