/*
 * Finds and reads files. The order matters: first the directories are watched, then the file is
 * looked at, then it is read, and then it is compared with what was looked at. So a change at any
 * moment is either part of the result, or reported by the next refresh.
 *
 * With `at_once` the steps are the same, up to the first one that would have to wait.
 */
#include "search.h"
#include "directory.h"
#include "zcserve/resident.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define TRIES_MAX 4           /* for a file that changes while it is looked at */
#define SHARE_OF_BUDGET_MAX 4 /* one file takes at most 1/4 of the memory      */

/* What is known of a file during a search. */
struct search {
    const struct question *q;
    struct file file;
    char name[PATH_MAX];
    bool watched; /* the watch reports every change of it                   */
    bool keep;    /* it may be remembered                                   */
    bool known;   /* there may be an entry for it, unless loading evicts it */
    bool again;   /* a new entry replaces the one that exists               */
};

static struct resolution answer(enum resolution_kind kind)
{
    return (struct resolution){.kind = kind};
}

/*
 * Returns whether the next lookup may be answered from memory: when the file is watched, or when
 * its identity is proof, because it is old enough and does not depend on absent names.
 */
static bool may_keep(const struct search *search)
{
    const struct file *file = &search->file;
    if (file->uncertain) return false;
    return search->watched || (file_is_settled(file, search->q->now) && !file->fallback);
}

static enum resolution_kind search_disk(struct search *search)
{
    const struct question *q = search->q;
    struct text path = q->key.path;
    uint64_t mount = 0;
    int result =
        directory_watch(&q->store->watch.directories, q->key.tree, &q->place.beneath, path, &mount);
    cache_make_room(&q->store->cache, 0); /* watches are paid from the same budget */
    if (result == -EINPROGRESS) return RESOLUTION_COLD;
    enum resolution_kind kind = file_find(&q->place, path, mount, search->name, &search->file);
    search->watched = result == 0 && !search->file.indirect;
    search->keep = kind == RESOLUTION_FOUND ? may_keep(search) : search->watched;
    return kind;
}

/* Returns the entry for what was found, a new one if there is none; NULL when it cannot be kept. */
static struct entry *entry_for(const struct search *search, enum resolution_kind kind)
{
    const struct question *q = search->q;
    struct cache *cache = &q->store->cache;
    struct entry *entry = search->known ? cache_find(cache, &q->key) : NULL;
    if (entry) return entry;
    const struct file *file = kind == RESOLUTION_FOUND ? &search->file : NULL;
    if (!cache_make_room(cache, entry_bytes(q->key.path, file))) return NULL;
    entry = entry_new(&q->key, kind, file);
    if (!entry) return NULL;
    entry->compared_ns = q->now->monotonic_ns;
    entry->watched = search->watched;
    entry->bare = !file && search->file.bare;
    uint64_t wait_ns = file ? file_ripens_in_ns(file, q->now) : 0;
    if (wait_ns > 0) entry->ripe_ns = q->now->monotonic_ns + wait_ns;
    cache_add(cache, entry);
    return entry;
}

static bool is_worth_remembering(enum resolution_kind kind)
{
    return kind == RESOLUTION_NOT_FOUND || kind == RESOLUTION_FORBIDDEN ||
           kind == RESOLUTION_DIRECTORY;
}

static void remember_absent(const struct search *search, enum resolution_kind kind)
{
    if (!search->keep || !is_worth_remembering(kind)) return;
    if (cache_make_seat(&search->q->store->cache, QUEUE_ABSENT)) entry_for(search, kind);
}

/* Returns the cost in bytes of holding the content in memory, with a new entry. */
static uint64_t memory_bytes(const struct search *search, enum coding coding)
{
    return variant_bytes(&search->file, coding, true) +
           entry_bytes(search->q->key.path, &search->file);
}

/*
 * Returns whether the entity-tag is a hash of the content. That depends only on the file, not on
 * the room for it. Otherwise an unchanged file would have one tag now and another one later.
 */
static bool is_small(const struct search *search, enum coding coding)
{
    return search->file.identity[coding].size <= search->q->store->options.file_bytes_max;
}

/* Returns whether the content should be in memory if there is room. */
static bool belongs_in_memory(const struct search *search, enum coding coding)
{
    uint64_t share = search->q->store->options.memory_bytes_max / SHARE_OF_BUDGET_MAX;
    return is_small(search, coding) && memory_bytes(search, coding) <= share;
}

/* Makes a variant that owns `fd`. Returns 0 or -errno: -EUSERS when too many files are lent. */
static int keep_open(const struct search *search, enum coding coding, int fd, enum tagging tagging,
                     struct variant **variant)
{
    if (!cache_make_descriptor(&search->q->store->cache)) return -EUSERS;
    return variant_keep_open(&search->file, coding, fd, tagging, search->q->now, variant);
}

/* Reads the content of `fd` into memory, or makes a variant that owns `fd`. Returns 0 or -errno. */
static int load_open(const struct search *search, enum coding coding, int fd,
                     struct variant **variant)
{
    const struct question *q = search->q;
    const struct file *file = &search->file;
    struct cache *cache = &q->store->cache;
    uint64_t length = file->identity[coding].size;
    bool small = is_small(search, coding);
    /* Checked before other entries are evicted for it. */
    if (small && length > 0 && q->place.beneath.at_once && !resident(fd, 0, length))
        return -EINPROGRESS;
    if (belongs_in_memory(search, coding) && cache_make_room(cache, memory_bytes(search, coding)))
        return variant_read(file, coding, fd, q->now, variant);
    cache_make_room(cache, variant_bytes(file, coding, false));
    return keep_open(search, coding, fd, small ? TAG_OF_CONTENT : TAG_OF_IDENTITY, variant);
}

/* Reads the content, or keeps the file open. Returns 0 or -errno. */
static int load(const struct search *search, enum coding coding, struct variant **variant)
{
    const struct place *place = &search->q->place;
    bool read = is_small(search, coding); /* into memory, or for its tag */
    int fd = read ? file_open_unseen(place, &search->file, coding)
                  : file_open(place, &search->file, coding);
    if (fd < 0) return fd;
    int result = load_open(search, coding, fd, variant);
    if (result < 0 || (*variant)->representation.fd != fd) close(fd);
    if (result == 0) cache_charge(&search->q->store->cache, *variant);
    return result;
}

/*
 * Lets the cache hold the variant, if that is allowed and there is room. A small file that found no
 * room in memory (all is lent) is not held as a descriptor, because it would stay there for good.
 */
static void keep(const struct search *search, struct variant *variant)
{
    const struct question *q = search->q;
    struct cache *cache = &q->store->cache;
    enum queue queue = cache_queue_of(variant);
    bool squeezed = queue == QUEUE_DESCRIPTOR && belongs_in_memory(search, variant->coding);
    if (!search->keep || squeezed) return;
    if (!cache_make_room(cache, entry_bytes(q->key.path, &search->file))) return;
    if (!cache_make_seat(cache, queue)) return;
    struct entry *entry = entry_for(search, RESOLUTION_FOUND);
    if (entry) cache_seat(cache, entry, variant);
}

/* Drops the entry that is replaced, unless loading has evicted it. */
static void forget(const struct question *q)
{
    struct entry *entry = cache_find(&q->store->cache, &q->key);
    if (entry) cache_drop(&q->store->cache, entry);
}

/* Lends what was found, in the best coding. Returns false when it is another file: search again. */
static bool lend_found(const struct search *search, struct resolution *resolution)
{
    enum coding coding = file_choose(&search->file, &search->q->lookup->accepted);
    *resolution = (struct resolution){.kind = RESOLUTION_NOT_ACCEPTABLE, .varies = true};
    if (coding == CODING_COUNT) return true;
    struct variant *variant;
    int result = load(search, coding, &variant);
    *resolution = answer(file_failure(-result));
    if (result < 0) return result != -ESTALE;
    if (search->again) forget(search->q);
    keep(search, variant);
    *resolution = variant_lend(variant);
    return true;
}

/* Lends a file that changes all the time: with its present length, and without remembering it. */
static struct resolution lend_moving(struct search *search)
{
    struct variant *variant;
    int fd = file_open_as_it_is(&search->q->place, &search->file);
    if (fd < 0) return answer(file_failure(-fd));
    int result = keep_open(search, CODING_IDENTITY, fd, TAG_NONE, &variant);
    if (result < 0) {
        close(fd);
        return answer(file_failure(-result));
    }
    cache_charge(&search->q->store->cache, variant);
    return variant_lend(variant);
}

/* Returns whether a file that changes all the time may be sent: only its original is available. */
static bool takes_original(const struct search *search)
{
    const struct accepted *accepted = &search->q->lookup->accepted;
    return accepted->weight[CODING_IDENTITY] > 0 || accepted->original_otherwise ||
           search->file.own_coding != CODING_IDENTITY;
}

struct resolution search_from_disk(const struct question *q)
{
    struct search search = {.q = q};
    struct resolution resolution;
    int problem = q->tree->root.problem;
    if (problem != 0) return answer(file_failure(problem));
    if (!file_may_exist(&q->place, q->key.path)) return answer(RESOLUTION_NOT_FOUND);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        enum resolution_kind kind = search_disk(&search);
        if (kind != RESOLUTION_FOUND) {
            remember_absent(&search, kind);
            return (struct resolution){.kind = kind, .bare = search.file.bare};
        }
        if (lend_found(&search, &resolution)) return resolution;
    }
    return takes_original(&search) ? lend_moving(&search) : resolution;
}

static bool search_known(const struct question *q, const struct entry *entry, bool again,
                         struct resolution *resolution)
{
    struct search search = {.q = q,
                            .file = entry->file,
                            .watched = entry->watched,
                            .keep = true,
                            .known = !again,
                            .again = again};
    snprintf(search.name, sizeof(search.name), "%s", entry->file.name);
    search.file.name = search.name; /* loading may evict the entry */
    return lend_found(&search, resolution);
}

bool search_from_entry(const struct question *q, const struct entry *entry,
                       struct resolution *resolution)
{
    return search_known(q, entry, false, resolution);
}

bool search_again(const struct question *q, const struct entry *entry,
                  struct resolution *resolution)
{
    return search_known(q, entry, true, resolution);
}
