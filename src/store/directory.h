/*
 * The directories that are watched, by path and by watch number. In each tree all directories from
 * the root to one that is watched are watched, too.
 */
#ifndef ZCSERVE_STORE_DIRECTORY_H
#define ZCSERVE_STORE_DIRECTORY_H

#include "beneath.h"
#include "key.h"
#include "notifier.h"

struct directory {
    struct directory *next; /* in the same chain of the table */
    struct watched watched;
    uint64_t mount;
    uint64_t changed; /* number of the last change of a name in it, or of its own watch */
    size_t bytes;
    struct key key; /* its path is "" or "a/b/": its letters follow the struct, and a NUL */
    char letters[];
};

struct directories {
    struct notifier *notifier;
    struct directory **table;  /* of chains, by key          */
    uint32_t mask;             /* length of the table less 1 */
    uint64_t bytes, bytes_max; /* of directories             */
    uint64_t changes;          /* the number of the last one */
};

/*
 * Opens the table, which is as long as that of the notifier and keeps this length. Returns false
 * when there is no memory.
 */
bool directories_open(struct directories *d, struct notifier *notifier, uint64_t bytes_max);
void directories_close(struct directories *d);

/* Each returns NULL for a directory that is not watched. */
struct directory *directory_find(const struct directories *d, uint16_t tree, struct text path);
struct directory *directory_find_number(const struct directories *d, uint16_t tree, int number);

/*
 * Watches every directory of `tree` from the root to the one that holds `path`. To be called before the
 * caller looks at the file. Returns 0 when each later change of a name in them is reported; *mount
 * is then the mount of the last directory. Otherwise returns -errno, or -EINPROGRESS as in
 * beneath.h; directories that are watched already stay so.
 */
int directory_watch(struct directories *d, uint16_t tree, const struct beneath *beneath,
                    struct text path, uint64_t *mount);

/* Forgets all directories of `tree` whose path begins with `path`; "" forgets all. */
void directory_forget_beneath(struct directories *d, uint16_t tree, struct text path);

#endif
