/*
 * Errands: another thread does what the store would have to wait for. An errand for a path or a
 * part of a file returns nothing. But all that it looked at and read is in the kernel's caches
 * afterwards, so that the store does the same without waiting. No data is handed over that could be
 * stale or would need a lock. Other errands make a product; see product.h.
 */
#define _GNU_SOURCE
#include "errand.h"
#include "inside.h"
#include "listed.h"
#include "zcserve/guard.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_BYTES 32768
#define BEFORE_PATH (sizeof(uint16_t) + 1) /* bytes of tree and view */

struct errand *errand_new(enum errand_kind kind, int fd, uint16_t tree, struct text path)
{
    size_t before = BEFORE_PATH;
    struct errand *errand = malloc(sizeof(*errand) + before + path.length + 1);
    if (!errand) return NULL;
    *errand = (struct errand){.kind = kind, .fd = fd};
    if (fd >= 0 && (errand->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
        free(errand);
        return NULL;
    }
    errand->tree = tree;
    memcpy(errand->letters, &tree, sizeof(tree));
    errand->letters[sizeof(tree)] = 0;
    if (path.base) errand->path = (struct text){errand->letters + before, path.length};
    if (path.length > 0) memcpy(errand->letters + before, path.base, path.length);
    errand->letters[before + path.length] = '\0';
    return errand;
}

struct errand *store_errand(struct store *store, const struct lookup *lookup)
{
    const struct tree *tree = store_tree(store, lookup);
    int root = tree->place.beneath.directory;
    if (root < 0) {
        errno = EBADF;
        return NULL;
    }
    struct errand *errand = errand_new(ERRAND_PATH, root, tree->number, lookup->path);
    if (!errand) return NULL;
    errand->place = tree->place;
    errand->place.beneath.directory = errand->fd;
    errand->file_bytes_max = store->options.file_bytes_max;
    errand->seen = store->watch.directories.changes;
    errand->lists = lookup->lists;
    errand->view = lookup->view;
    if (lookup->lists)
        errand->letters[sizeof(tree->number)] = (char)(1 + view_number(lookup->view));
    return errand;
}

struct errand *store_errand_range(int fd, uint64_t offset, uint64_t length)
{
    struct errand *errand = errand_new(ERRAND_RANGE, fd, 0, (struct text){NULL, 0});
    if (!errand) return NULL;
    errand->offset = offset;
    errand->length = length;
    return errand;
}

struct errand *store_errand_check(struct check *check)
{
    struct errand *errand = errand_new(ERRAND_CHECK, -1, 0, (struct text){NULL, 0});
    if (errand) errand->check = check;
    return errand;
}

bool errand_computes(const struct errand *errand)
{
    return errand->kind == ERRAND_CHECK;
}

/* The key of a check is random: a path could have the same only by guessing 128 bits, and would only wait. */
struct text errand_key(const struct errand *errand)
{
    if (errand->kind == ERRAND_CHECK) return check_key(errand->check);
    if (errand->kind != ERRAND_PATH) return (struct text){NULL, 0};
    return (struct text){errand->letters, BEFORE_PATH + errand->path.length};
}

void errand_free(struct errand *errand)
{
    if (!errand) return;
    assert(errand->product.reserved == 0); /* else its product was not adopted */
    if (errand->fd >= 0) close(errand->fd);
    check_free(errand->check);
    free(errand);
}

/* Reads bytes, and drops them. If the file changes or fails, the store will find out. */
static void read_through(int fd, uint64_t offset, uint64_t length)
{
    char scratch[SCRATCH_BYTES];
    uint64_t end = offset + length;
    while (offset < end) {
        size_t size = end - offset < sizeof(scratch) ? (size_t)(end - offset) : sizeof(scratch);
        ssize_t n = pread(fd, scratch, size, (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        offset += (uint64_t)n;
    }
}

static void fetch(const struct errand *errand, const struct file *file, enum coding coding)
{
    int fd = file_open(&errand->place, file, coding);
    if (fd < 0) return;
    uint64_t length = file->identity[coding].size;
    if (length <= errand->file_bytes_max) read_through(fd, 0, length);
    close(fd);
}

static void path_run(struct errand *errand)
{
    const struct place *place = &errand->place;
    char name[PATH_MAX];
    struct file file;
    if (!file_may_exist(place, errand->path)) return;
    enum resolution_kind kind = file_find(place, errand->path, 0, name, &file);
    if (kind == RESOLUTION_FORBIDDEN && file.bare && errand->lists) listed_run(errand);
    if (kind != RESOLUTION_FOUND) return;
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++)
        if (file.usable[coding]) fetch(errand, &file, coding);
}

static void range_run(const struct errand *errand)
{
    posix_fadvise(errand->fd, (off_t)errand->offset, (off_t)(2 * errand->length),
                  POSIX_FADV_WILLNEED);
    read_through(errand->fd, errand->offset, errand->length);
}

void errand_run(struct errand *errand)
{
    switch (errand->kind) {
    case ERRAND_PATH: path_run(errand); break;
    case ERRAND_RANGE: range_run(errand); break;
    case ERRAND_ENCODE: encoding_run(errand); break;
    case ERRAND_CHECK: check_run(errand->check); break;
    }
}
