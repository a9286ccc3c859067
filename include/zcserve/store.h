/*
 * Finds the representation of a path in one of several trees: directories with all that is beneath
 * them. Keeps small files in memory and larger files open, and never lends a file that is not there
 * any more. What is known of a path in one tree never answers for the same path in another one, even
 * when both have the same root. A store belongs to one thread and has no lock. It knows no sockets
 * and no status codes.
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
struct check;
struct media_types;

/* In the order of the words of `symlinks` in options.def. No link ever leads out of the root. */
enum symlink_policy {
    SYMLINKS_BENEATH, /* relative links are followed; absolute ones are forbidden              */
    SYMLINKS_NEVER,   /* a path with a symbolic link is forbidden                              */
    SYMLINKS_INSIDE,  /* absolute links are followed, too, when they lead to a place beneath   */
                      /* the root                                                              */
    SYMLINKS_OWNER    /* as INSIDE, but only links that have the owner of what they lead to    */
};

/* Compression on the fly, of content that is held in memory. */
struct compress_options {
    uint32_t codings;                 /* how many are made; 0: none                               */
    enum coding coding[CODING_COUNT]; /* the first is made when a client likes several the same   */
    int level[CODING_COUNT];          /* as the library of the coding counts them                 */
    const char *const *types;         /* media types, "x/y" or a family; ends with NULL, and must */
                                      /* outlive the store                                        */
    uint64_t bytes_min, bytes_max;    /* smallest and largest content                             */
};

struct tree_options {
    const char *root;         /* directory; its own path may have links                   */
    const char *const *index; /* names tried for a path that ends in "/"; ends with NULL, */
                              /* and must outlive the store                               */
    enum symlink_policy symlinks;
    bool hidden;                /* serve names with a leading dot, too; /.well-known/ always is   */
    bool sidecar[CODING_COUNT]; /* which of .gz .br .zst are looked for                           */
    const struct media_types *types; /* must outlive the store                                    */
    struct compress_options compress;
};

#define STORE_TREES_MAX 1024

struct store_options {
    const struct tree_options *tree; /* the trees; must outlive the store and its errands         */
    uint32_t trees;                  /* from 1 to STORE_TREES_MAX; all share what follows         */
    uint64_t memory_bytes_max; /* budget of the store for contents, heads and bookkeeping; while */
                               /* all of it is lent, files are lent but not kept                 */
    uint64_t
        listings_bytes_max; /* beyond the budget, for listings that it has no room for: lent, not kept */
    uint64_t file_bytes_max;  /* largest file kept in memory                                    */
    uint32_t descriptors_max; /* larger files kept open                                         */
    uint32_t descriptors_lent_max; /* more files that are open because they are lent; 0: no limit */
    uint32_t absent_max;           /* missing paths that are remembered                           */
    uint32_t watches_max;          /* directories watched for changes; 0: none                    */
    uint64_t recheck_ns;           /* longest time until an entry is compared with its file       */
};

/*
 * Opens a store. Returns NULL with errno set when no root can be opened or there is no memory. Then
 * `problem` (of `size` bytes) has one line without a newline that says what failed. A single root
 * that is missing, now or later, concerns only its own tree: there nothing is found until it is back.
 */
struct store *store_open(const struct store_options *options, char *problem, size_t size);
void store_close(struct store *store); /* all loans must have been returned */

/*
 * Takes all changes on disk that happened before this call. Must be called after a request was
 * received and before its lookup; one call is enough for all requests received before it. Without
 * changes it makes one system call.
 */
void store_refresh(struct store *store, const struct now *now);

/* Whether a lookup may wait for the disk. */
enum patience { MAY_WAIT, AT_ONCE };

/*
 * Answers `lookup`. FOUND lends a representation, which does not change until it is returned,
 * whatever happens on disk or in the cache. CROWDED means that a file would have to be opened, but
 * too many are lent open: try again when one of them is returned.
 *
 * AT_ONCE is for event loops: the result is COLD when the disk would have to be waited for, and
 * nothing but watches was changed. A file too large for memory is opened; the caller checks whether
 * its bytes are resident. Where the kernel does not say what it has cached (some network file
 * systems), COLD could come again and again: so use MAY_WAIT after an errand. Before Linux 5.12,
 * AT_ONCE waits too, with a notice. A network file system may always ask its server.
 */
struct resolution store_resolve(struct store *store, const struct lookup *lookup,
                                enum patience patience, const struct now *now);

/* Takes back what was lent. */
void store_return(struct store *store, const struct representation *lent);

/*
 * Makes an errand: work that another thread does for a path, so that its lookup hardly waits
 * afterwards, whatever coding is accepted. It looks at all names that the lookup looks at, and lets
 * the kernel read what would be held in memory. The errand has copies and its own descriptor. The
 * thread of the store makes it; any thread may run and free it. It uses the options of its tree.
 *
 * Returns NULL with errno set when there is no memory or descriptor, or no root at present.
 */
struct errand *store_errand(struct store *store, const struct lookup *lookup);

/*
 * Makes an errand for a part of an open file, with a duplicate of `fd`. The kernel reads this part,
 * and begins to read as much again behind it. Returns NULL with errno set when there is no memory
 * or descriptor.
 */
struct errand *store_errand_range(int fd, uint64_t offset, uint64_t length);

/*
 * Makes an errand for the check of a password (guard.h), which the errand owns then. Returns NULL with
 * errno set when there is no memory.
 */
struct errand *store_errand_check(struct check *check);

/* Returns whether the errand does not wait for a disk, but computes, perhaps for a second. */
bool errand_computes(const struct errand *errand);

/*
 * Returns bytes that are the same for errands for the same path of the same tree, or for checks of the
 * same password, so that connections that wait for it can share one; absent for a part of a file.
 */
struct text errand_key(const struct errand *errand);

/*
 * Makes an errand that compresses the file of a lookup, whose resolution was `improvable`. The
 * errand is made, adopted and freed by the thread of the store, and run by any thread. Returns NULL
 * when this is not possible now: memory is short, too many are under way, or too many were made in
 * this second.
 */
struct errand *store_product(struct store *store, const struct lookup *lookup,
                             const struct now *now);

/*
 * Takes what the errand made: holds it if the file has not changed since and there is room, or
 * discards it. A check is told to its guard. To be called once before an errand of store_product() or
 * store_errand_check() is freed, run or not, and by the thread of the store; for other errands it does
 * nothing.
 */
void store_adopt(struct store *store, struct errand *errand);

/* Waits as long as the disk takes, or compresses. Needs about 64 KiB of stack. */
void errand_run(struct errand *errand);
void errand_free(struct errand *errand); /* NULL is allowed */

/* Returns a descriptor that is readable when something changed, or -1 when nothing is watched. */
int store_watch_fd(const struct store *store);

/*
 * Returns the next notice for the operator (watches ran out, a system call is missing …): one line
 * without a newline; each kind once in the life of the store. NULL when there is none.
 */
const char *store_notice(struct store *store);

/* What the store did and what it holds. The last four are gauges; the others only grow. */
struct store_counts {
    uint64_t hits, misses, evictions, invalidations, rechecks, refreshes, watch_overflows;
    uint64_t listings;
    uint64_t compressed, compress_worthless,
        compress_discarded;                         /* products that were kept or not */
    uint64_t compress_in_bytes, compress_out_bytes; /* of those that were kept        */
    uint64_t bytes, entries, descriptors, watches;
};
const struct store_counts *store_counts(const struct store *store);

#endif
