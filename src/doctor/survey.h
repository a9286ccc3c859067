/*
 * Looks once at the files below the roots, as the user who looks: what cannot be read, what anybody
 * may change, sidecars without use, links that lead nowhere, and what the file systems can do. It
 * follows no link and opens only directories, one file of each file system, and links as O_PATH. It
 * stops at a number of entries and after a time; a file system that hangs makes it wait longer.
 */
#ifndef ZCSERVE_DOCTOR_SURVEY_H
#define ZCSERVE_DOCTOR_SURVEY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/vfs.h>

#include "zcserve/representation.h"
#include "zcserve/resident.h"

enum survey_kind {
    SURVEY_UNREADABLE, /* files that this user may not read                              */
    SURVEY_CLOSED,     /* directories that this user may not enter                       */
    SURVEY_UNLISTED,   /* directories that may be entered, but neither listed nor watched */
    SURVEY_OPEN,       /* files and directories that every user may change               */
    SURVEY_OWN,        /* files and directories that this user may change                */
    SURVEY_LOST,       /* links that lead nowhere or out of the root, or are absolute    */
    SURVEY_STALE,      /* sidecars that are older than their original                    */
    SURVEY_EMPTY,      /* sidecars without a byte                                        */
    SURVEY_LARGE,      /* sidecars that are not smaller than their original              */
    SURVEY_KINDS
};

#define SURVEY_EXAMPLES_MAX 3
#define SURVEY_SYSTEMS_MAX 16

/* How many there are, and the paths of the first. */
struct survey_group {
    uint64_t count;
    char *example[SURVEY_EXAMPLES_MAX]; /* NULL after the last */
};

struct survey_system {
    dev_t device;
    bool reports_changes;
    bool probed; /* a file was opened to find out `means` */
    enum resident_means means;
    int error;  /* errno of cachestat(2); 0: it works */
    char *path; /* the first directory on it */
};

struct survey {
    uint64_t entries, directories, files;
    uint64_t large_files; /* larger than large_bytes */
    const char *cut;      /* which limit ended it early; NULL: it saw everything */
    double seconds;
    struct survey_group group[SURVEY_KINDS];
    struct survey_system system[SURVEY_SYSTEMS_MAX];
    unsigned systems;
    bool exhausted; /* something was not kept, because there was no memory */
};

struct survey_options {
    const char *const *root; /* NULL after the last */
    bool hidden, links;      /* names that begin with a dot are served; links are followed */
    bool sidecar[CODING_COUNT];
    uint64_t large_bytes; /* from which size on files are not kept in memory */
    uint64_t entries_max; /* 0: no limit */
    double seconds_max;   /* 0: no limit */
    /* Called at first, and then ten times a second, with what was seen so far; NULL: not at all. */
    void (*progress)(const struct survey *survey);
};

/*
 * Looks at everything. Roots that cannot be opened are left out. survey_free() frees what it keeps.
 */
void survey_take(struct survey *survey, const struct survey_options *options);
void survey_free(struct survey *survey);

#endif
