/*
 * "Which file is that?" Finds the representation of a path beneath one root directory, keeps
 * small files in memory and larger ones open, and never answers with what is no longer there.
 * A store belongs to one thread of control; there is no lock in it. No sockets, no status codes.
 */
#ifndef ZCSERVE_STORE_H
#define ZCSERVE_STORE_H

#include "zcserve/lookup.h"
#include "zcserve/now.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct errand;
struct media_types;

enum symlink_policy {
    SYMLINKS_BENEATH, /* followed while they stay beneath the root; absolute ones never do */
    SYMLINKS_NEVER    /* any symbolic link in the path: forbidden                          */
};

struct store_options {
    const char *root;         /* directory; may itself be reached through links     */
    const char *const *index; /* names tried for a path ending in "/"; NULL at end; */
                              /* outlives the store                                 */
    enum symlink_policy symlinks;
    bool hidden;                     /* serve dotfiles too (/.well-known/ always is)       */
    bool sidecar[CODING_COUNT];      /* which of .gz .br .zst are looked for               */
    uint64_t memory_bytes_max;       /* budget of this store: contents, heads, bookkeeping; */
                                     /* while all of it is lent, files are lent unkept      */
    uint64_t file_bytes_max;         /* largest file kept in memory                        */
    uint32_t descriptors_max;        /* larger files kept open                             */
    uint32_t descriptors_lent_max;   /* more that are open because they are lent; 0: any number */
    uint32_t absent_max;             /* paths remembered as not found                      */
    uint32_t watches_max;            /* directories watched for changes; 0: none           */
    uint64_t recheck_ns;             /* an entry is compared with the file at least so often */
    const struct media_types *types; /* outlives the store                                 */
};

/*
 * Opens a store. NULL with errno set, and in `problem` (of `size`) one line without a newline
 * that names what failed, when the root cannot be opened or memory is short.
 */
struct store *store_open(const struct store_options *options, char *problem, size_t size);
void store_close(struct store *store); /* all loans must have been returned */

/*
 * Takes in all changes on disk that happened before this call. Must be called after a request
 * was received and before it is looked up; once serves every request received before the call.
 * One system call when nothing changed.
 */
void store_refresh(struct store *store, const struct now *now);

/* Whether the disk may be waited for. */
enum patience { MAY_WAIT, AT_ONCE };

/*
 * Answers `lookup`. FOUND lends a representation that stays as it is until it is returned,
 * whatever happens on disk or in the cache. CROWDED when a file would have to be opened, and as many
 * are lent open as may be: worth trying again when one is returned.
 *
 * AT_ONCE, for an event loop: COLD instead of waiting for the disk, and nothing is left behind but
 * watches. A file too large for memory is opened; whether its bytes are resident is for the caller
 * to ask. COLD may come again and again where the kernel does not tell what it has (some network file
 * systems): so after an errand it MAY_WAIT. Before Linux 5.12 it waits, with a notice; and a network
 * file system may always ask its server.
 */
struct resolution store_resolve(struct store *store, const struct lookup *lookup,
                                enum patience patience, const struct now *now);

/* Takes back what was lent. */
void store_return(struct store *store, const struct representation *lent);

/*
 * What another thread does for a path so that resolving it hardly waits afterwards, whatever
 * coding is accepted: looks at all that resolving looks at, and has the kernel read what would be
 * held in memory. It holds copies and a descriptor of its own, is made by the thread that the
 * store belongs to, and is run and freed by any. The store must outlive it, for its options.
 *
 * NULL with errno: memory or descriptors are short, or there is no root at present.
 */
struct errand *store_errand(struct store *store, const struct lookup *lookup);

/*
 * The same for a part of an open file, of which the errand has a duplicate: the kernel reads it, and begins
 * to read as much again behind it. NULL with errno: memory or descriptors are short.
 */
struct errand *store_errand_range(int fd, uint64_t offset, uint64_t length);

/*
 * The path an errand was made for; connections that wait for the same one may share it. Absent for a part
 * of a file.
 */
struct text errand_path(const struct errand *errand);

/* Waits as long as the disk takes; needs about 64 KiB of stack. What it finds it does not tell. */
void errand_run(struct errand *errand);
void errand_free(struct errand *errand); /* NULL is allowed */

/* A descriptor that becomes readable when something changed; -1 when nothing is watched. */
int store_watch_fd(const struct store *store);

/*
 * What the operator should hear of (watches ran out, a system call is missing …): one line
 * without a newline, each kind once in the life of the store; NULL when there is nothing to tell.
 */
const char *store_notice(struct store *store);

/* What the store did and holds; monotonic but for the last four. */
struct store_counts {
    uint64_t hits, misses, evictions, invalidations, rechecks, refreshes, watch_overflows;
    uint64_t bytes, entries, descriptors, watches;
};
const struct store_counts *store_counts(const struct store *store);

#endif
