/*
 * Identities of files: device, inode, size and both times in ns. So an edit within the same second
 * is seen, and so is another file that was renamed to this name.
 *
 * Times are only as exact as the kernel's tick (1 to 10 ms; from Linux 6.13 on finer after somebody
 * looked), or as the file system stores them: 10 ms on exFAT; a second on ext2, ext3, ext4 with
 * small inodes, HFS+ and reiserfs; two seconds on FAT. A file that changed a moment ago may change
 * again and look the same: it is not settled yet. When the ns of a time are 0, the file system is
 * assumed to store whole seconds.
 */
#define _GNU_SOURCE
#define XXH_INLINE_ALL
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <xxhash.h>

#define TICK_NS (50 * NS_PER_MS)             /* several times 10 ms      */
#define WHOLE_SECONDS_NS (3 * NS_PER_SECOND) /* more than the 2 s of FAT */

_Static_assert(sizeof(struct identity) == 64, "identities are compared as memory: no padding");

static int read_with(int directory, const char *path, int flags, struct identity *identity)
{
    struct statx found;
    *identity = (struct identity){0};
    if (statx(directory, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &found) !=
        0)
        return -errno;
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

uint64_t identity_hash(const struct identity *identity)
{
    return XXH3_64bits(identity, sizeof(*identity));
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
    if (a->modified_seconds != b->modified_seconds)
        return a->modified_seconds > b->modified_seconds;
    return a->modified_ns >= b->modified_ns;
}

/* Returns how many ns are left until `wait_ns` have passed since a time. */
static uint64_t left_ns(int64_t seconds, uint32_t ns, uint64_t wait_ns, const struct now *now)
{
    const int64_t far = (int64_t)(IDENTITY_WAIT_NS_MAX / NS_PER_SECOND);
    if (seconds < now->wall_seconds - far) return 0;
    if (seconds > now->wall_seconds + far) return IDENTITY_WAIT_NS_MAX;
    int64_t age_ns = (now->wall_seconds - seconds) * (int64_t)NS_PER_SECOND;
    int64_t left = (int64_t)wait_ns - (age_ns + now->wall_ns - ns);
    if (left <= 0) return 0;
    return (uint64_t)left < IDENTITY_WAIT_NS_MAX ? (uint64_t)left : IDENTITY_WAIT_NS_MAX;
}

uint64_t identity_settles_in_ns(const struct identity *identity, const struct now *now)
{
    uint64_t grain_ns = identity->changed_ns == 0 ? WHOLE_SECONDS_NS : TICK_NS;
    return left_ns(identity->changed_seconds, identity->changed_ns, grain_ns, now);
}

bool identity_is_settled(const struct identity *identity, const struct now *now)
{
    return identity_settles_in_ns(identity, now) == 0;
}

uint64_t identity_dates_in_ns(const struct identity *identity, const struct now *now,
                              int64_t *seconds)
{
    bool future = identity->modified_seconds > now->wall_seconds;
    uint32_t ns = future ? identity->changed_ns : identity->modified_ns;
    *seconds = future ? identity->changed_seconds : identity->modified_seconds;
    return left_ns(*seconds, 0, ns == 0 ? WHOLE_SECONDS_NS : NS_PER_SECOND + TICK_NS, now);
}
