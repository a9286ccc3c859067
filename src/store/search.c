/*
 * Finds and reads files. The order matters: first the directories are watched, then the file is
 * looked at, then it is read, and what was read is compared with what was looked at. So a change
 * at any moment is either part of the answer or told by the next refresh.
 *
 * Asked at once, it goes the same way up to the first thing that would have to be waited for.
 */
#include "search.h"
#include "directory.h"
#include "zcserve/resident.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define TRIES_MAX 4           /* with a file that changes while it is looked at          */
#define SHARE_OF_BUDGET_MAX 4 /* one file takes at most this part of the memory: 1/4     */

/* A path being resolved that was not answered from the cache. */
struct search {
    struct text path;
    struct file file;
    char name[PATH_MAX];
    bool watched; /* the watch tells of every change of it */
    bool keep;    /* it may be remembered                  */
    bool again;   /* what is remembered of it gives way    */
};

static struct resolution answer(enum resolution_kind kind)
{
    return (struct resolution){.kind = kind};
}

/*
 * Whether the next answer may come from memory. What is watched may always; else an identity
 * must be proof: old enough, and no other name's absence involved.
 */
static bool may_keep(const struct search *search, const struct now *now)
{
    const struct file *file = &search->file;
    if (file->uncertain) return false;
    return search->watched || (file_is_settled(file, now) && !file->fallback);
}

static enum resolution_kind search_disk(struct store *store, struct search *search,
                                        const struct now *now)
{
    uint64_t mount = 0;
    int result = directory_watch(&store->watch, &store->place.beneath, search->path, &mount);
    cache_make_room(&store->cache, 0); /* the watches are paid from the same budget */
    if (result == -EINPROGRESS) return RESOLUTION_COLD;
    enum resolution_kind kind =
        file_find(&store->place, search->path, mount, search->name, &search->file);
    search->watched = result == 0 && !search->file.indirect;
    search->keep = kind == RESOLUTION_FOUND ? may_keep(search, now) : search->watched;
    return kind;
}

/* The entry for what was found, made unless it is there; NULL when it cannot be kept. */
static struct entry *entry_for(struct store *store, const struct search *search,
                               enum resolution_kind kind, const struct now *now)
{
    struct entry *entry = cache_find(&store->cache, search->path);
    if (entry != NULL) return entry;
    const struct file *file = kind == RESOLUTION_FOUND ? &search->file : NULL;
    if (!cache_make_room(&store->cache, entry_bytes(search->path, file))) return NULL;
    entry = entry_new(search->path, kind, file);
    if (entry == NULL) return NULL;
    entry->compared_ns = now->monotonic_ns;
    entry->watched = search->watched;
    uint64_t wait_ns = file != NULL ? file_ripens_in_ns(file, now) : 0;
    if (wait_ns > 0) entry->ripe_ns = now->monotonic_ns + wait_ns;
    cache_add(&store->cache, entry);
    return entry;
}

static bool is_worth_remembering(enum resolution_kind kind)
{
    return kind == RESOLUTION_NOT_FOUND || kind == RESOLUTION_FORBIDDEN ||
           kind == RESOLUTION_DIRECTORY;
}

static void remember_absent(struct store *store, const struct search *search,
                            enum resolution_kind kind, const struct now *now)
{
    if (!search->keep || !is_worth_remembering(kind)) return;
    if (cache_make_seat(&store->cache, QUEUE_ABSENT)) entry_for(store, search, kind, now);
}

/* What holding the content in memory will cost, with a new entry for it. */
static uint64_t memory_bytes(const struct search *search, enum coding coding)
{
    return variant_bytes(&search->file, coding, true) + entry_bytes(search->path, &search->file);
}

/*
 * Whether its entity-tag is a hash of the content. That depends on the file alone and not on the room there
 * is for it: else a file that nobody changed would have one tag now and another in a moment.
 */
static bool is_small(const struct store *store, const struct search *search, enum coding coding)
{
    return search->file.identity[coding].size <= store->options.file_bytes_max;
}

/* Whether the content belongs in memory, if there is room. */
static bool belongs_in_memory(const struct store *store, const struct search *search,
                              enum coding coding)
{
    return is_small(store, search, coding) &&
           memory_bytes(search, coding) <= store->options.memory_bytes_max / SHARE_OF_BUDGET_MAX;
}

/* Has the variant take `fd` over. 0 or -errno, which is -EUSERS when too many are lent. */
static int keep_open(struct store *store, const struct file *file, enum coding coding, int fd,
                     enum tagging tagging, const struct now *now, struct variant **variant)
{
    if (!cache_make_descriptor(&store->cache)) return -EUSERS;
    return variant_keep_open(file, coding, fd, tagging, now, variant);
}

/* Reads the content of `fd` into memory, or else has the variant take `fd` over. 0 or -errno. */
static int load_open(struct store *store, const struct search *search, enum coding coding, int fd,
                     const struct now *now, struct variant **variant)
{
    const struct file *file = &search->file;
    uint64_t length = file->identity[coding].size;
    bool small = is_small(store, search, coding);
    /* Asked before there is made room for it. */
    if (small && length > 0 && store->place.beneath.at_once && !resident(fd, 0, length)) {
        return -EINPROGRESS;
    }
    if (belongs_in_memory(store, search, coding) &&
        cache_make_room(&store->cache, memory_bytes(search, coding))) {
        return variant_read(file, coding, fd, now, variant);
    }
    cache_make_room(&store->cache, variant_bytes(file, coding, false));
    enum tagging tagging = small ? TAG_OF_CONTENT : TAG_OF_IDENTITY;
    return keep_open(store, file, coding, fd, tagging, now, variant);
}

/* Reads the content or keeps its file open. 0 or -errno. */
static int load(struct store *store, const struct search *search, enum coding coding,
                const struct now *now, struct variant **variant)
{
    bool read = is_small(store, search, coding); /* into memory, or for its tag */
    int fd = read ? file_open_unseen(&store->place, &search->file, coding)
                  : file_open(&store->place, &search->file, coding);
    if (fd < 0) return fd;
    int result = load_open(store, search, coding, fd, now, variant);
    if (result < 0 || (*variant)->representation.fd != fd) close(fd);
    if (result == 0) cache_charge(&store->cache, *variant);
    return result;
}

static void forget(struct store *store, struct text path)
{
    struct entry *entry = cache_find(&store->cache, path);
    if (entry != NULL) cache_drop(&store->cache, entry);
}

/*
 * Has the cache hold the variant, if it may and there is room. A small file for which there was
 * none (all is lent) is not held as a descriptor: it would keep that place for good.
 */
static void keep(struct store *store, const struct search *search, struct variant *variant,
                 const struct now *now)
{
    const struct file *file = &search->file;
    enum queue queue = cache_queue_of(variant);
    bool squeezed = queue == QUEUE_DESCRIPTOR && belongs_in_memory(store, search, variant->coding);
    if (!search->keep || squeezed) return;
    if (!cache_make_room(&store->cache, entry_bytes(search->path, file))) return;
    if (!cache_make_seat(&store->cache, queue)) return;
    struct entry *entry = entry_for(store, search, RESOLUTION_FOUND, now);
    if (entry != NULL) cache_seat(&store->cache, entry, variant);
}

/* Lends what was found, in the best coding. False: it is another file by now, search again. */
static bool lend_found(struct store *store, const struct search *search,
                       const struct lookup *lookup, const struct now *now,
                       struct resolution *resolution)
{
    enum coding coding = file_choose(&search->file, &lookup->accepted);
    *resolution = (struct resolution){.kind = RESOLUTION_NOT_ACCEPTABLE, .varies = true};
    if (coding == CODING_COUNT) return true;
    struct variant *variant;
    int result = load(store, search, coding, now, &variant);
    *resolution = answer(file_failure(-result));
    if (result < 0) return result != -ESTALE;
    if (search->again) forget(store, search->path);
    keep(store, search, variant, now);
    *resolution = variant_lend(variant);
    return true;
}

/* A file that never holds still long enough: as long as it is now, and not remembered. */
static struct resolution lend_moving(struct store *store, struct search *search,
                                     const struct now *now)
{
    struct file *file = &search->file;
    struct variant *variant;
    int fd = file_open_as_it_is(&store->place, file);
    if (fd < 0) return answer(file_failure(-fd));
    int result = keep_open(store, file, CODING_IDENTITY, fd, TAG_NONE, now, &variant);
    if (result < 0) {
        close(fd);
        return answer(file_failure(-result));
    }
    cache_charge(&store->cache, variant);
    return variant_lend(variant);
}

struct resolution search_from_disk(struct store *store, const struct lookup *lookup,
                                   const struct now *now)
{
    struct search search = {.path = lookup->path};
    struct resolution resolution;
    if (store->root.problem != 0) return answer(file_failure(store->root.problem));
    if (!file_may_exist(&store->place, lookup->path)) return answer(RESOLUTION_NOT_FOUND);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        enum resolution_kind kind = search_disk(store, &search, now);
        if (kind != RESOLUTION_FOUND) {
            remember_absent(store, &search, kind, now);
            return answer(kind);
        }
        if (lend_found(store, &search, lookup, now, &resolution)) return resolution;
    }
    if (lookup->accepted.weight[CODING_IDENTITY] == 0 && !lookup->accepted.original_otherwise &&
        search.file.own_coding == CODING_IDENTITY) {
        return resolution;
    }
    return lend_moving(store, &search, now);
}

static bool search_known(struct store *store, const struct entry *entry, bool again,
                         const struct lookup *lookup, const struct now *now,
                         struct resolution *resolution)
{
    struct search search = {.path = lookup->path,
                            .file = entry->file,
                            .watched = entry->watched,
                            .keep = true,
                            .again = again};
    snprintf(search.name, sizeof(search.name), "%s", entry->file.name);
    search.file.name = search.name; /* loading may evict the entry */
    return lend_found(store, &search, lookup, now, resolution);
}

bool search_from_entry(struct store *store, const struct entry *entry, const struct lookup *lookup,
                       const struct now *now, struct resolution *resolution)
{
    return search_known(store, entry, false, lookup, now, resolution);
}

bool search_again(struct store *store, const struct entry *entry, const struct lookup *lookup,
                  const struct now *now, struct resolution *resolution)
{
    return search_known(store, entry, true, lookup, now, resolution);
}
