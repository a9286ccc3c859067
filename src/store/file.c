/*
 * Looks at files without reading them. Each name is first opened with O_PATH, which has no effect
 * on the file: no FIFO is joined and no device started. So its kind is known before it is opened
 * for reading. A file that is opened later is compared with the one that was looked at.
 *
 * Nothing is remembered here; see entry.h.
 */
#define _GNU_SOURCE
#include "file.h"
#include "compressible.h"
#include "zcserve/media_type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum resolution_kind file_failure(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return RESOLUTION_NOT_FOUND;
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV: return RESOLUTION_FORBIDDEN;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
    case ESTALE: return RESOLUTION_BUSY;
    case EINPROGRESS: return RESOLUTION_COLD;
    case EUSERS: return RESOLUTION_CROWDED;
    default: return RESOLUTION_BROKEN;
    }
}

bool file_failure_passes(int error)
{
    enum resolution_kind kind = file_failure(error);
    return kind == RESOLUTION_BUSY || kind == RESOLUTION_BROKEN;
}

/* Returns whether a component begins with ".", except a leading ".well-known". */
static bool is_hidden(struct text path)
{
    struct text well_known = TEXT(".well-known");
    for (size_t offset = 0; offset < path.length; offset++) {
        bool begins = offset == 0 || path.base[offset - 1] == '/';
        if (!begins || path.base[offset] != '.') continue;
        size_t rest = path.length - offset;
        bool allowed = offset == 0 && rest >= well_known.length &&
                       memcmp(path.base, well_known.base, well_known.length) == 0 &&
                       (rest == well_known.length || path.base[well_known.length] == '/');
        if (!allowed) return true;
    }
    return false;
}

bool file_may_exist(const struct place *place, struct text path)
{
    return path.length <= FILE_NAME_MAX && (place->options->hidden || !is_hidden(path));
}

void file_sidecar_name(const char *name, enum coding coding, char sidecar[PATH_MAX])
{
    snprintf(sidecar, PATH_MAX, "%s%s", name, coding_file_suffix(coding).base);
}

/* Tries first without links, in order to know whether there is one. */
static int open_to_look(const struct place *place, const char *name, bool *linked)
{
    int fd = beneath_open(&place->beneath, name, O_PATH, LINKS_REFUSED);
    if (fd != -ELOOP || !place->beneath.follows) return fd;
    *linked = true;
    return beneath_open(&place->beneath, name, O_PATH, LINKS_FOLLOWED);
}

#define READABLE_BY_ALL (S_IRUSR | S_IRGRP | S_IROTH)

/*
 * Returns -EACCES when a directory may not be searched, or another file may not be read; else 0. A
 * file that all may read by its mode is not checked: if an access control list forbids it, opening
 * will fail.
 */
static int look_at_permission(int fd, const struct identity *identity)
{
    struct identity self;
    if (identity_is_directory(identity)) return identity_read(fd, ".", &self);
    if ((identity->mode & READABLE_BY_ALL) == READABLE_BY_ALL) return 0;
    bool refused = faccessat(fd, "", R_OK, AT_EMPTY_PATH | AT_EACCESS) != 0 && errno == EACCES;
    return refused ? -EACCES : 0;
}

/*
 * Reads the identity of a name. Returns 0 or -errno. When the file may be seen but not used,
 * returns -EACCES with its identity.
 */
static int look(const struct place *place, const char *name, struct identity *identity,
                bool *linked)
{
    *identity = (struct identity){0};
    int fd = open_to_look(place, name, linked);
    if (fd < 0) return fd;
    int result = identity_read(fd, "", identity);
    if (result == 0) result = look_at_permission(fd, identity);
    close(fd);
    return result;
}

static bool is_indirect(const struct identity *identity, uint64_t mount)
{
    return identity_exists(identity) && (identity->links > 1 || identity->mount != mount);
}

/*
 * Returns whether a sidecar can be used. One that is older than its original has other content. An
 * empty one is broken, because no coding produces nothing: its compressor was stopped, or the disk
 * was full.
 */
static bool is_sidecar(const struct identity *sidecar, const struct identity *original)
{
    return identity_is_regular(sidecar) && sidecar->size > 0 &&
           identity_not_older(sidecar, original);
}

/* Looks for all sidecars. Returns FOUND, even without any; COLD if looking would have to wait. */
static enum resolution_kind look_for_sidecars(const struct place *place, uint64_t mount,
                                              struct file *file)
{
    const struct tree_options *options = place->options;
    bool enabled = false;
    for (enum coding coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        if (!options->sidecar[coding]) continue;
        char sidecar[PATH_MAX];
        struct identity *identity = &file->identity[coding];
        file_sidecar_name(file->name, coding, sidecar);
        int result = look(place, sidecar, identity, &file->indirect);
        if (result == -EINPROGRESS) return RESOLUTION_COLD;
        file->usable[coding] =
            result == 0 && is_sidecar(identity, &file->identity[CODING_IDENTITY]);
        file->indirect |= is_indirect(identity, mount);
        file->uncertain |= result < 0 && file_failure_passes(-result);
        file->varies |= file->usable[coding];
        enabled = true;
    }
    file->varies |= enabled && media_type_is_compressible(file->media_type);
    return RESOLUTION_FOUND;
}

static enum resolution_kind find_named(const struct place *place, uint64_t mount, const char *name,
                                       struct file *file)
{
    struct identity *identity = &file->identity[CODING_IDENTITY];
    int result = look(place, name, identity, &file->indirect);
    if (result == 0 && identity_is_directory(identity)) return RESOLUTION_DIRECTORY;
    bool other = identity_exists(identity) && !identity_is_regular(identity);
    if (other && !identity_is_directory(identity)) return RESOLUTION_NOT_FOUND;
    if (result < 0) return file_failure(-result);
    file->name = name;
    file->usable[CODING_IDENTITY] = true;
    file->indirect |= is_indirect(identity, mount);
    struct text text = {name, strlen(name)};
    file->media_type = media_type_find(place->options->types, text);
    file->own_coding = media_type_own_coding(text, file->media_type);
    if (file->own_coding != CODING_IDENTITY) return RESOLUTION_FOUND;
    enum resolution_kind kind = look_for_sidecars(place, mount, file);
    if (kind == RESOLUTION_FOUND) compressible_judge(&place->options->compress, file);
    return kind;
}

/* Returns FORBIDDEN for a directory without an index, and NOT_FOUND for what is no directory. */
static enum resolution_kind find_bare_directory(const struct place *place, struct text path,
                                                struct file *file)
{
    struct identity identity;
    int result = look(place, path.base, &identity, &file->indirect);
    if (result < 0) return file_failure(-result);
    file->bare = identity_is_directory(&identity);
    return file->bare ? RESOLUTION_FORBIDDEN : RESOLUTION_NOT_FOUND;
}

static enum resolution_kind find_index(const struct place *place, struct text path, uint64_t mount,
                                       char name[PATH_MAX], struct file *file)
{
    for (const char *const *index = place->options->index; index && *index; index++) {
        if (path.length + strlen(*index) > FILE_NAME_MAX) continue;
        snprintf(name, PATH_MAX, "%.*s%s", (int)path.length, path.base, *index);
        enum resolution_kind kind = find_named(place, mount, name, file);
        file->fallback = true;
        if (kind == RESOLUTION_FOUND) file->fallback = index != place->options->index;
        bool directory = identity_is_directory(&file->identity[CODING_IDENTITY]);
        if (kind != RESOLUTION_NOT_FOUND && !directory) return kind;
        *file = (struct file){.indirect = file->indirect};
    }
    return find_bare_directory(place, path, file);
}

enum resolution_kind file_find(const struct place *place, struct text path, uint64_t mount,
                               char name[PATH_MAX], struct file *file)
{
    *file = (struct file){0};
    if (path.length == 0 || path.base[path.length - 1] == '/')
        return find_index(place, path, mount, name, file);
    snprintf(name, PATH_MAX, "%.*s", (int)path.length, path.base);
    return find_named(place, mount, name, file);
}

enum coding file_choose(const struct file *file, const struct accepted *accepted)
{
    /* The weight decides, then the length, then this order. */
    static const enum coding order[] = {CODING_ZSTD, CODING_BR, CODING_GZIP, CODING_IDENTITY};
    enum coding best = CODING_COUNT;
    if (file->own_coding != CODING_IDENTITY) return CODING_IDENTITY;
    for (size_t i = 0; i < CODING_COUNT; i++) {
        enum coding coding = order[i];
        uint16_t weight = accepted->weight[coding];
        if (weight == 0 || !file->usable[coding]) continue;
        if (best == CODING_COUNT || weight > accepted->weight[best] ||
            (weight == accepted->weight[best] &&
             file->identity[coding].size < file->identity[best].size))
            best = coding;
    }
    return best == CODING_COUNT && accepted->original_otherwise ? CODING_IDENTITY : best;
}

bool file_is_settled(const struct file *file, const struct now *now)
{
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        const struct identity *identity = &file->identity[coding];
        if (identity_exists(identity) && !identity_is_settled(identity, now)) return false;
    }
    return true;
}

/* Returns the shorter of two waits; 0 means no wait. */
static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t file_ripens_in_ns(const struct file *file, const struct now *now)
{
    uint64_t wait_ns = 0;
    for (enum coding coding = CODING_IDENTITY; coding < CODING_COUNT; coding++) {
        const struct identity *identity = &file->identity[coding];
        int64_t seconds;
        if (!identity_exists(identity)) continue;
        wait_ns = sooner(wait_ns, identity_settles_in_ns(identity, now));
        wait_ns = sooner(wait_ns, identity_dates_in_ns(identity, now, &seconds));
    }
    return wait_ns;
}

/* O_NONBLOCK: opening does not wait, even if the file is a FIFO now. */
static int open_to_read(const struct place *place, const char *name)
{
    return beneath_open(&place->beneath, name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
                        place->beneath.follows ? LINKS_FOLLOWED : LINKS_REFUSED);
}

static int stale_when_gone(int fd)
{
    return fd == -ENOENT ? -ESTALE : fd;
}

int file_open_unseen(const struct place *place, const struct file *file, enum coding coding)
{
    char name[PATH_MAX];
    if (coding == CODING_IDENTITY) return stale_when_gone(open_to_read(place, file->name));
    file_sidecar_name(file->name, coding, name);
    return stale_when_gone(open_to_read(place, name));
}

int file_open(const struct place *place, const struct file *file, enum coding coding)
{
    struct identity identity;
    int fd = file_open_unseen(place, file, coding);
    if (fd < 0) return fd;
    int result = identity_read(fd, "", &identity);
    if (result == 0 && identity_equals(&identity, &file->identity[coding])) return fd;
    close(fd);
    return result < 0 ? result : -ESTALE;
}

int file_open_as_it_is(const struct place *place, struct file *file)
{
    struct identity *identity = &file->identity[CODING_IDENTITY];
    int fd = open_to_read(place, file->name);
    if (fd < 0) return fd;
    int result = identity_read(fd, "", identity);
    if (result == 0 && identity_is_regular(identity)) return fd;
    close(fd);
    return result < 0 ? result : -ENOENT;
}
