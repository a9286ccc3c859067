/* The files in a directory: their sizes and names. */
#include "advise.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int file_add(struct site *site, const char *path, uint64_t bytes)
{
    if (site->count == SITE_FILES_MAX) {
        site->cut = true;
        return 0;
    }
    if (site->count == site->room) {
        unsigned room = site->room ? 2 * site->room : 256;
        void *file = realloc(site->file, room * sizeof *site->file);
        if (!file) return -ENOMEM;
        site->file = file;
        site->room = room;
    }
    char *kept = strdup(path);
    if (!kept) return -ENOMEM;
    site->file[site->count++] = (struct site_file){bytes, kept};
    return 0;
}

static int by_size(const void *a, const void *b)
{
    const struct site_file *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes > y->bytes) - (x->bytes < y->bytes)
                                : strcmp(x->path, y->path);
}

int site_read(struct site *site, const char *directory)
{
    struct stat status;
    char *from[] = {(char *)(uintptr_t)directory, NULL};
    *site = (struct site){.directory = directory};
    if (stat(directory, &status) < 0) return -errno;
    if (!S_ISDIR(status.st_mode)) return -ENOTDIR;
    FTS *walk = fts_open(from, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    int result = walk ? 0 : -errno;
    for (FTSENT *entry; result == 0 && !site->cut && (entry = fts_read(walk));) {
        bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
        if (hidden && entry->fts_info == FTS_D) fts_set(walk, entry, FTS_SKIP);
        if (hidden || entry->fts_info != FTS_F || entry->fts_statp->st_size <= 0) continue;
        const char *relative = entry->fts_path + strlen(directory);
        relative += strspn(relative, "/");
        result = file_add(site, relative, (uint64_t)entry->fts_statp->st_size);
    }
    if (walk) fts_close(walk);
    if (result == 0 && site->count > 0) qsort(site->file, site->count, sizeof *site->file, by_size);
    return result;
}

void site_free(struct site *site)
{
    for (unsigned i = 0; i < site->count; i++)
        free(site->file[i].path);
    free(site->file);
    site->file = NULL;
    site->count = site->room = 0;
}

bool site_path(const struct site *site, unsigned i, char into[SITE_PATH_MAX])
{
    int length = snprintf(into, SITE_PATH_MAX, "%s/%s", site->directory, site->file[i].path);
    return length > 0 && length < SITE_PATH_MAX;
}

unsigned site_between(const struct site *site, uint64_t above, uint64_t up_to)
{
    unsigned count = 0;
    for (unsigned i = 0; i < site->count; i++)
        count += site->file[i].bytes > above && site->file[i].bytes <= up_to;
    return count;
}

uint64_t site_bytes(const struct site *site, uint64_t up_to)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < site->count; i++)
        if (site->file[i].bytes <= up_to) sum += site->file[i].bytes;
    return sum;
}
