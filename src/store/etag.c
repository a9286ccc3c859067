/*
 * Makes entity-tags. Two versions of a file never have the same tag. Nor have two codings of one
 * file: their bytes differ, and a cache may combine ranges only when the tags are equal.
 *
 * The two kinds of tag have different forms ("32 digits" and "size-16 digits"). So when a file
 * grows above the memory limit, its new tag cannot equal an old one.
 */
#define XXH_INLINE_ALL
#include "etag.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>

#define SCRATCH_BYTES 16384

static const char *coding_suffix(enum coding coding)
{
    switch (coding) {
    case CODING_GZIP: return "-gzip";
    case CODING_BR: return "-br";
    case CODING_ZSTD: return "-zstd";
    case CODING_IDENTITY:
    case CODING_COUNT: break;
    }
    return "";
}

static size_t etag_of_hash(XXH128_hash_t hash, enum coding coding, char etag[ETAG_MAX])
{
    int written = snprintf(etag, ETAG_MAX, "\"%016" PRIx64 "%016" PRIx64 "%s\"",
                           (uint64_t)hash.high64, (uint64_t)hash.low64, coding_suffix(coding));
    assert(written > 0 && written < ETAG_MAX);
    return (size_t)written;
}

size_t etag_of_content(const char *content, uint64_t length, enum coding coding,
                       char etag[ETAG_MAX])
{
    return etag_of_hash(XXH3_128bits(content, (size_t)length), coding, etag);
}

int etag_of_file(int fd, uint64_t length, enum coding coding, char etag[ETAG_MAX])
{
    char scratch[SCRATCH_BYTES];
    XXH3_state_t state;
    uint64_t offset = 0;
    XXH3_128bits_reset(&state);
    for (;;) {
        ssize_t n = pread(fd, scratch, sizeof(scratch), (off_t)offset);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) break;
        offset += (uint64_t)n;
        if (offset > length) return -ESTALE;
        XXH3_128bits_update(&state, scratch, (size_t)n);
    }
    if (offset != length) return -ESTALE;
    return (int)etag_of_hash(XXH3_128bits_digest(&state), coding, etag);
}

size_t etag_of_identity(const struct identity *identity, enum coding coding, char etag[ETAG_MAX])
{
    const uint64_t facts[] = {
        identity->inode,
        (uint64_t)identity->modified_seconds,
        (uint64_t)identity->changed_seconds,
        (uint64_t)identity->modified_ns << 32 | identity->changed_ns,
    };
    int written = snprintf(etag, ETAG_MAX, "\"%" PRIx64 "-%016" PRIx64 "%s\"", identity->size,
                           (uint64_t)XXH3_64bits(facts, sizeof(facts)), coding_suffix(coding));
    assert(written > 0 && written < ETAG_MAX);
    return (size_t)written;
}
