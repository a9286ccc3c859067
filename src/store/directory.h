/*
 * The directories that are watched, by path and by watch number. All directories from the root to
 * one that is watched are watched, too.
 */
#ifndef ZCSERVE_STORE_DIRECTORY_H
#define ZCSERVE_STORE_DIRECTORY_H

#include "beneath.h"
#include "notifier.h"

struct directory {
    struct directory *next_by_path, *next_by_number; /* in the same chain of a table */
    int number;                                      /* of its watch                 */
    uint64_t mount;
    size_t bytes;
    struct text path; /* "" or "a/b/"; its letters follow the struct, and a NUL */
    char letters[];
};

struct directories {
    struct notifier *notifier;
    struct directory **by_path, **by_number; /* tables of chains            */
    uint32_t mask;                           /* length of each table less 1 */
    uint64_t bytes, bytes_max;               /* of directories              */
};

/*
 * Opens both tables. Their length depends on the number of watches that the notifier may add, and
 * never changes. Returns false when there is no memory; then they are closed.
 */
bool directories_open(struct directories *d, struct notifier *notifier, uint64_t bytes_max);
void directories_close(struct directories *d);

struct directory *directory_find(const struct directories *d, struct text path);
struct directory *directory_find_number(const struct directories *d, int number);

/*
 * Watches every directory from the root to the one that holds `path`. To be called before the
 * caller looks at the file. Returns 0 when each later change of a name in them is reported; *mount
 * is then the mount of the last directory. Otherwise returns -errno, or -EINPROGRESS as in
 * beneath.h; directories that are watched already stay so.
 */
int directory_watch(struct directories *d, const struct beneath *beneath, struct text path,
                    uint64_t *mount);

/* Forgets all directories whose path begins with `path`; "" forgets all. */
void directory_forget_beneath(struct directories *d, struct text path);

#endif
