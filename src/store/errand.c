/*
 * Errands: another thread goes where the store would have to wait, and comes back with nothing.
 * What it looked at and read is in the kernel's caches by then, so the store goes the same way
 * without waiting. Nothing is handed over that could be stale or would need a lock.
 */
#define _GNU_SOURCE
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_BYTES 32768

struct errand {
    struct place place; /* its directory is the errand's own */
    struct text path;   /* its letters follow, and a NUL     */
    char letters[];
};

struct errand *store_errand(struct store *store, const struct lookup *lookup)
{
    struct text path = lookup->path;
    struct errand *errand = malloc(sizeof(*errand) + path.length + 1);
    if (errand == NULL) return NULL;
    errand->place = store->place;
    errand->place.beneath.directory = fcntl(store->place.beneath.directory, F_DUPFD_CLOEXEC, 0);
    if (errand->place.beneath.directory < 0) {
        free(errand);
        return NULL;
    }
    errand->path = (struct text){errand->letters, path.length};
    memcpy(errand->letters, path.base, path.length);
    errand->letters[path.length] = '\0';
    return errand;
}

struct text errand_path(const struct errand *errand)
{
    return errand->path;
}

void errand_free(struct errand *errand)
{
    if (errand == NULL) return;
    close(errand->place.beneath.directory);
    free(errand);
}

/* The bytes are of no interest here, and a file that changes or fails is the store's to find. */
static void read_through(int fd, uint64_t bytes_max)
{
    char scratch[SCRATCH_BYTES];
    uint64_t offset = 0;
    while (offset < bytes_max) {
        ssize_t n = pread(fd, scratch, sizeof(scratch), (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        offset += (uint64_t)n;
    }
}

static void fetch(const struct place *place, const struct file *file, enum coding coding)
{
    int fd = file_open(place, file, coding);
    if (fd < 0) return;
    uint64_t length = file->identity[coding].size;
    if (length <= place->options->file_bytes_max) read_through(fd, length);
    close(fd);
}

void errand_run(struct errand *errand)
{
    const struct place *place = &errand->place;
    char name[PATH_MAX];
    struct file file;
    if (!file_may_exist(place, errand->path)) return;
    if (file_find(place, errand->path, 0, name, &file) != RESOLUTION_FOUND) return;
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        if (file.usable[coding]) fetch(place, &file, coding);
    }
}
