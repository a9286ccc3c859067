/*
 * A link is shown as what it leads to, by the same rules as it would be followed by. Names may appear
 * and vanish meanwhile; what has vanished is left out.
 */
#define _GNU_SOURCE
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRIES_MIN 64

/* A directory while it is read. */
struct reading {
    const struct place *place;
    struct text path;
    int fd;
    struct listing *listing;
    uint32_t room;   /* entries that `listing` has memory for */
    unsigned readme; /* how good the README is; 0: none       */
};

static enum links links_of(const struct beneath *beneath)
{
    return beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED;
}

/* Returns false when a client could not fetch the name. `full` is its path. */
static bool look(const struct reading *r, const char *name, const char *full,
                 struct identity *identity)
{
    const struct beneath *beneath = &r->place->beneath;
    if (identity_read_itself(r->fd, name, identity) < 0) return false;
    if (identity_is_link(identity)) {
        if (!beneath->follows) return false;
        int fd = beneath_open(beneath, full, O_PATH, LINKS_FOLLOWED);
        int result = fd < 0 ? fd : identity_read(fd, "", identity);
        if (fd >= 0) close(fd);
        if (result < 0) return false;
    }
    return identity_is_regular(identity) || identity_is_directory(identity);
}

/* Returns 0, or -ENOMEM. */
static int entry_add(struct reading *r, const char *name, const struct identity *identity)
{
    struct listing *listing = r->listing;
    if (listing->count == r->room) {
        uint32_t room = r->room > 0 ? 2 * r->room : ENTRIES_MIN;
        void *more = realloc(listing->entry, room * sizeof(*listing->entry));
        if (!more) return -ENOMEM;
        listing->entry = more;
        r->room = room;
    }
    char *copy = strdup(name);
    if (!copy) return -ENOMEM;
    bool directory = identity_is_directory(identity);
    listing->entry[listing->count++] =
        (struct listing_entry){.name = copy,
                               .size = directory ? 0 : identity->size,
                               .modified_seconds = identity->modified_seconds,
                               .is_directory = directory};
    return 0;
}

/* Remembers the best name of a README that was seen. */
static void readme_note(struct reading *r, const char *name, const struct identity *identity)
{
    static const char *const names[] = {"README.txt", "README", "README.md"}; /* the last is best */
    if (!identity_is_regular(identity)) return;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0 && r->readme < i + 1) {
            r->readme = i + 1;
            r->listing->readme_name = (struct text){names[i], strlen(names[i])};
        }
}

/* Reads at most LISTING_README_MAX bytes. A README that cannot be read is not shown. */
static void readme_read(struct reading *r)
{
    char full[PATH_MAX];
    struct listing *listing = r->listing;
    if (r->readme == 0) return;
    snprintf(full, sizeof(full), "%.*s%s", (int)r->path.length, r->path.base,
             listing->readme_name.base);
    int fd = beneath_open(&r->place->beneath, full, O_RDONLY | O_NONBLOCK | O_NOCTTY,
                          links_of(&r->place->beneath));
    char *space = fd < 0 ? NULL : malloc(LISTING_README_MAX);
    ssize_t length = space ? pread(fd, space, LISTING_README_MAX, 0) : -1;
    if (fd >= 0) close(fd);
    if (length < 0) {
        free(space);
        listing->readme_name = (struct text){NULL, 0};
        return;
    }
    listing->readme = (struct text){space, (size_t)length};
}

/* Takes one name. Returns 0, or -ENOMEM. */
static int name_take(struct reading *r, const char *name)
{
    char full[PATH_MAX];
    struct identity identity;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return 0;
    int length = snprintf(full, sizeof(full), "%.*s%s", (int)r->path.length, r->path.base, name);
    if (length >= (int)sizeof(full)) return 0;
    if (!file_may_exist(r->place, (struct text){full, (size_t)length})) return 0;
    if (!look(r, name, full, &identity)) return 0;
    if (r->listing->count == LISTING_ENTRIES_MAX) {
        r->listing->complete = false;
        return 0;
    }
    readme_note(r, name, &identity);
    return entry_add(r, name, &identity);
}

static int names_take(struct reading *r, DIR *stream)
{
    int result = 0;
    while (result == 0 && r->listing->complete) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) return -errno;
        result = name_take(r, entry->d_name);
    }
    return result;
}

int names_read(const struct place *place, struct text path, struct listing *listing,
               struct identity *identity)
{
    char name[PATH_MAX];
    const struct beneath *beneath = &place->beneath;
    *listing = (struct listing){.path = path, .complete = true};
    snprintf(name, sizeof(name), "%.*s", (int)path.length, path.base);
    int fd = beneath_open(beneath, name, O_RDONLY | O_DIRECTORY, links_of(beneath));
    if (fd < 0) return fd;
    struct reading r = {.place = place, .path = path, .fd = fd, .listing = listing};
    int result = identity_read(fd, "", identity);
    DIR *stream = result == 0 ? fdopendir(fd) : NULL;
    if (!stream) {
        result = result < 0 ? result : -errno;
        close(fd);
        return result;
    }
    result = names_take(&r, stream);
    closedir(stream);
    if (result == 0) readme_read(&r);
    if (result < 0) names_free(listing);
    return result;
}

void names_free(struct listing *listing)
{
    for (uint32_t i = 0; i < listing->count; i++)
        free((char *)(uintptr_t)listing->entry[i].name);
    free(listing->entry);
    free((char *)(uintptr_t)listing->readme.base);
    *listing = (struct listing){0};
}
