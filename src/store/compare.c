/*
 * Checks whether a file is still the one that was found. Its name is looked up by the rules for
 * opening it: beneath the root, and through links only where they are followed. Otherwise a path
 * that now leads out of the root would still be served from memory.
 *
 * The directory is opened by these rules. The file and its sidecars are looked at in it, with one
 * call for each, and two more calls for a directory that is not the root. Only a name that is a
 * link is looked up from the root.
 */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Reads the identity of a path that does not end in a link. Returns -ELOOP for a link. */
static int read_unlinked(int directory, const char *path, struct identity *identity)
{
    int result = identity_read_itself(directory, path, identity);
    if (result < 0 || !identity_is_link(identity)) return result;
    *identity = (struct identity){0};
    return -ELOOP;
}

/*
 * Without a free descriptor: checks each directory on the way before the next one. If a link is put
 * there in between, the result is that of the moment before.
 */
static int read_step_by_step(int directory, const char *name, struct identity *identity)
{
    char prefix[PATH_MAX];
    for (const char *slash = name; (slash = strchr(slash, '/')) != NULL; slash++) {
        snprintf(prefix, sizeof(prefix), "%.*s", (int)(slash - name), name);
        int result = read_unlinked(directory, prefix, identity);
        if (result < 0) return result;
    }
    return read_unlinked(directory, name, identity);
}

/* Looks the name up in one call, and the kernel keeps it beneath the root. */
static int read_beneath(const struct beneath *beneath, const char *name, struct identity *identity)
{
    *identity = (struct identity){0};
    int fd = beneath_open(beneath, name, O_PATH, beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
    if (fd < 0) return fd;
    int result = identity_read(fd, "", identity);
    close(fd);
    return result;
}

static bool is_exhausted(int result)
{
    return result == -EMFILE || result == -ENFILE;
}

/*
 * Returns the directory that holds `name`: the descriptor of the root, or one that the caller
 * closes, or -errno.
 */
static int holder_open(const struct beneath *beneath, const char *name)
{
    char path[PATH_MAX];
    const char *slash = strrchr(name, '/');
    if (!slash) return beneath->directory;
    snprintf(path, sizeof(path), "%.*s", (int)(slash - name), name);
    return beneath_open(beneath, path, O_PATH | O_DIRECTORY,
                        beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
}

/*
 * Reads the identity of what the name leads to now. With `at_once` only the kernel's cache is used.
 * Without a free descriptor the call may wait for the disk, which is better than no result.
 */
static int read_name(const struct beneath *beneath, int holder, const char *name,
                     struct identity *identity)
{
    int result = holder;
    if (beneath->at_once) {
        result = read_beneath(beneath, name, identity);
    } else if (holder >= 0) {
        const char *slash = strrchr(name, '/');
        result = read_unlinked(holder, slash ? slash + 1 : name, identity);
        if (result == -ELOOP && beneath->follows) result = read_beneath(beneath, name, identity);
    }
    if (is_exhausted(result)) return read_step_by_step(beneath->directory, name, identity);
    return result;
}

/* A name that cannot be reached counts as absent, but as changed if the error may soon be over. */
static int compare_name(const struct beneath *beneath, int holder, const char *name,
                        const struct identity *known)
{
    struct identity identity;
    int result = read_name(beneath, holder, name, &identity);
    if (result == -EINPROGRESS) return result;
    if (result < 0 && file_failure_passes(-result)) return -ESTALE;
    return identity_equals(&identity, known) ? 0 : -ESTALE;
}

/* Returns whether this sidecar of the file is looked for. */
static bool has_sidecar(const struct place *place, const struct file *file, enum coding coding)
{
    return place->options->sidecar[coding] && file->own_coding == CODING_IDENTITY;
}

static int compare_all(const struct place *place, int holder, const struct file *file)
{
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        if (coding != CODING_IDENTITY && !has_sidecar(place, file, coding)) continue;
        char name[PATH_MAX];
        file_sidecar_name(file->name, coding, name);
        int result = compare_name(&place->beneath, holder, name, &file->identity[coding]);
        if (result < 0) return result;
    }
    return 0;
}

int file_compare(const struct place *place, const struct file *file)
{
    const struct beneath *beneath = &place->beneath;
    int holder = beneath->at_once ? beneath->directory : holder_open(beneath, file->name);
    if (holder < 0 && !is_exhausted(holder)) return -ESTALE;
    int result = compare_all(place, holder, file);
    if (holder >= 0 && holder != beneath->directory) close(holder);
    return result;
}
