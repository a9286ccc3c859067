/*
 * Whether a file is still what was found. Its name is looked up as it was when the file was opened:
 * beneath the root, and over links only where they are followed. Else a path that came to lead out of
 * the root would go on to be served from memory.
 *
 * That takes three calls a name. A name in the root directory itself takes one, for nothing but the name
 * can be a link, and it is not followed; and so does a sidecar that is not there.
 */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The identity of what has no link at its end; -ELOOP for a link. */
static int read_unlinked(int directory, const char *path, struct identity *identity)
{
    int result = identity_read_itself(directory, path, identity);
    if (result < 0 || !identity_is_link(identity)) return result;
    *identity = (struct identity){0};
    return -ELOOP;
}

/*
 * Without a descriptor: each directory on the way is looked at before the next. Where somebody puts a
 * link there in between, the answer is what it was a moment before.
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

/* In one look-up that the kernel keeps beneath the root. */
static int read_beneath(const struct beneath *beneath, const char *name, struct identity *identity)
{
    *identity = (struct identity){0};
    int fd = beneath_open(beneath, name, O_PATH, beneath->follows ? LINKS_FOLLOWED : LINKS_REFUSED);
    if (fd < 0) return fd;
    int result = identity_read(fd, "", identity);
    close(fd);
    return result;
}

/* What the name leads to now. At once, the name is looked up in the kernel's cache alone. */
static int read_name(const struct beneath *beneath, const char *name, struct identity *identity)
{
    bool in_root = strchr(name, '/') == NULL;
    if (in_root && !beneath->at_once) {
        int result = read_unlinked(beneath->directory, name, identity);
        if (result != -ELOOP || !beneath->follows) return result;
    }
    int result = read_beneath(beneath, name, identity);
    bool exhausted = result == -EMFILE || result == -ENFILE;
    return exhausted ? read_step_by_step(beneath->directory, name, identity) : result;
}

/* A name that cannot be reached is as good as absent, unless that may be different in a moment. */
static int compare_name(const struct beneath *beneath, const char *name,
                        const struct identity *known)
{
    struct identity identity;
    int result = read_name(beneath, name, &identity);
    if (result == -EINPROGRESS) return result;
    if (result < 0 && file_failure_passes(-result)) return -ESTALE;
    return identity_equals(&identity, known) ? 0 : -ESTALE;
}

/* Whether this sidecar of it is looked for. */
static bool has_sidecar(const struct place *place, const struct file *file, enum coding coding)
{
    return place->options->sidecar[coding] && file->own_coding == CODING_IDENTITY;
}

int file_compare(const struct place *place, const struct file *file)
{
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        if (coding != CODING_IDENTITY && !has_sidecar(place, file, coding)) continue;
        char name[PATH_MAX];
        file_sidecar_name(file->name, coding, name);
        int result = compare_name(&place->beneath, name, &file->identity[coding]);
        if (result < 0) return result;
    }
    return 0;
}
