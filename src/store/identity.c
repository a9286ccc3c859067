/*
 * Identities of files: device, inode, size and both times to the nanosecond, so that an edit in
 * place within one second and a rename over the file are both seen.
 *
 * Times are only as fine as the kernel's tick, or a whole second on old file systems. A file
 * that changed a moment ago may change again and look the same: it is not settled yet.
 */
#define _GNU_SOURCE
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define TICK_NS (50 * NS_PER_MS)             /* several times the slowest tick, 10 ms */
#define WHOLE_SECONDS_NS (3 * NS_PER_SECOND) /* FAT counts in steps of two seconds   */

_Static_assert(sizeof(struct identity) == 64, "identities are compared as memory: no padding");

static int read_with(int directory, const char *path, int flags, struct identity *identity)
{
    struct statx found;
    *identity = (struct identity){0};
    if (statx(directory, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &found) !=
        0) {
        return -errno;
    }
    identity->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    identity->inode = found.stx_ino;
    identity->size = found.stx_size;
    identity->mount = (found.stx_mask & STATX_MNT_ID) != 0 ? found.stx_mnt_id : 0;
    identity->modified_seconds = found.stx_mtime.tv_sec;
    identity->modified_ns = found.stx_mtime.tv_nsec;
    identity->changed_seconds = found.stx_ctime.tv_sec;
    identity->changed_ns = found.stx_ctime.tv_nsec;
    identity->mode = found.stx_mode;
    identity->links = found.stx_nlink;
    return 0;
}

int identity_read(int directory, const char *path, struct identity *identity)
{
    return read_with(directory, path, AT_EMPTY_PATH, identity);
}

int identity_read_itself(int directory, const char *path, struct identity *identity)
{
    return read_with(directory, path, AT_SYMLINK_NOFOLLOW, identity);
}

bool identity_equals(const struct identity *a, const struct identity *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool identity_exists(const struct identity *identity)
{
    return identity->mode != 0;
}

bool identity_is_regular(const struct identity *identity)
{
    return S_ISREG(identity->mode);
}

bool identity_is_directory(const struct identity *identity)
{
    return S_ISDIR(identity->mode);
}

bool identity_is_link(const struct identity *identity)
{
    return S_ISLNK(identity->mode);
}

bool identity_not_older(const struct identity *a, const struct identity *b)
{
    if (a->modified_seconds != b->modified_seconds) {
        return a->modified_seconds > b->modified_seconds;
    }
    return a->modified_ns >= b->modified_ns;
}

bool identity_is_settled(const struct identity *identity, const struct now *now)
{
    int64_t age_seconds = now->wall_seconds - identity->changed_seconds;
    if (age_seconds < 0) {
        return false;
    }
    if (age_seconds > 10) {
        return true;
    }
    int64_t age_ns = age_seconds * (int64_t)NS_PER_SECOND + now->wall_ns - identity->changed_ns;
    uint64_t grain_ns = identity->changed_ns == 0 ? WHOLE_SECONDS_NS : TICK_NS;
    return age_ns > (int64_t)grain_ns;
}
