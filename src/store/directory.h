/*
 * The directories that are watched, by path and by watch number.
 */
#ifndef ZCSERVE_STORE_DIRECTORY_H
#define ZCSERVE_STORE_DIRECTORY_H

#include "watch.h"

struct directory {
    struct directory *next_by_path, *next_by_number; /* in the same chain of a table */
    int number;                                      /* of its watch                 */
    uint64_t mount;
    size_t bytes;
    struct text path; /* "" or "a/b/"; its letters follow the struct, and a NUL */
    char letters[];
};

struct statfs;

/* Returns whether this machine's kernel makes, and so reports, all changes on this file system. */
bool directory_reports_changes(const struct statfs *status);

/*
 * Opens both tables. Their length depends on watches_max and never changes. Returns false when
 * there is no memory.
 */
bool directory_open_tables(struct watch *watch);
void directory_close_tables(struct watch *watch);

struct directory *directory_find(const struct watch *watch, struct text path);
struct directory *directory_find_number(const struct watch *watch, int number);

/*
 * Watches every directory from the root to the one that holds `path`. To be called before the
 * caller looks at the file. Returns 0 when each later change of a name in them is reported; *mount
 * is then the mount of the last directory. Otherwise returns -errno, or -EINPROGRESS as in
 * beneath.h; directories that are watched already stay so.
 */
int directory_watch(struct watch *watch, const struct beneath *beneath, struct text path,
                    uint64_t *mount);

/* Forgets all directories whose path begins with `path`; "" forgets all. */
void directory_forget_beneath(struct watch *watch, struct text path);

#endif
