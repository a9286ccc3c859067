/* The switches of zcserve precompress. */
#ifndef ZCSERVE_PRECOMPRESS_ARGUMENTS_H
#define ZCSERVE_PRECOMPRESS_ARGUMENTS_H

#include "precompress/rules.h"
#include "zcserve/config.h"

#define PRECOMPRESS_OVERRIDES_MAX 32
#define PRECOMPRESS_JOBS_MAX 256
#define PRECOMPRESS_SIZE_MAX (UINT64_C(1) << 40) /* of --min-size and --max-size, in bytes */

struct precompress_switches {
    const char *config_file; /* NULL: none; only defaults and overrides count */
    /* -o, and DIR as the option `root` */
    struct config_override overrides[PRECOMPRESS_OVERRIDES_MAX];
    size_t override_count;
    struct precompress_wishes wishes;
    uint32_t jobs; /* threads that compress; 0: one for each usable CPU */
    bool json;     /* the summary as JSON                               */
};

/*
 * Reads `argv`, which begins with the name of the tool; `out` points into it, and the text of an
 * -o is cut in place. Returns false when nothing is left to do: help was printed (*code is 0), or a
 * mistake was reported on standard error (*code is 2).
 */
bool precompress_arguments_read(int argc, char **argv, struct precompress_switches *out, int *code);

#endif
