/*
 * The directories that are watched, by path and by watch number.
 */
#ifndef ZCSERVE_STORE_DIRECTORY_H
#define ZCSERVE_STORE_DIRECTORY_H

#include "watch.h"

struct directory {
    struct directory *next_by_path, *next_by_number; /* with the same place in a table */
    int number;                                      /* of its watch */
    uint64_t mount;
    size_t bytes;
    struct text path; /* "" or "a/b/"; its letters follow, and a NUL */
    char letters[];
};

/* Both tables, of a length that follows from watches_max and never changes. */
bool directory_open_tables(struct watch *watch);
void directory_close_tables(struct watch *watch);

struct directory *directory_find(const struct watch *watch, struct text path);
struct directory *directory_find_number(const struct watch *watch, int number);

/*
 * Watches every directory from the root to the one that holds `path`, before the caller looks
 * at the file. 0 when from now on each change of a name in them is told; *mount is then the mount
 * that the last one is on. Else -errno, -EINPROGRESS as in beneath.h; those that were watched stay.
 */
int directory_watch(struct watch *watch, const struct beneath *beneath, struct text path,
                    uint64_t *mount);

/* Forgets all directories whose path begins with `path`; "" forgets every one. */
void directory_forget_beneath(struct watch *watch, struct text path);

#endif
