/*
 * Asking about a range costs up to 50 ns a page, a tenth of what sending it does; so a file that was
 * found wholly resident is trusted for a second. In that second its pages were used, and the
 * kernel evicts what was not.
 */
#include "zcserve/residency.h"
#include "zcserve/resident.h"

#include <string.h>

/* The end of an entity-tag: what it begins with, the length, many files have in common. */
static uint64_t tag_of(const struct representation *r)
{
    uint64_t tag[2] = {0, 0};
    if (r->etag.length >= sizeof(tag))
        memcpy(tag, r->etag.base + r->etag.length - sizeof(tag), sizeof(tag));
    return tag[0] ^ tag[1];
}

static bool is_known(struct residency *residency, const struct representation *r,
                     const struct now *now)
{
    size_t slot = (uintptr_t)r / 64 % RESIDENCY_FILES;
    if (residency->known[slot].of == r && residency->known[slot].tag == tag_of(r) &&
        now->monotonic_ns < residency->known[slot].until_ns)
        return true;
    if (r->length > RESIDENCY_WHOLE_MAX || !resident(r->fd, 0, r->length)) return false;
    residency->known[slot].of = r;
    residency->known[slot].tag = tag_of(r);
    residency->known[slot].until_ns = now->monotonic_ns + RESIDENCY_NS;
    return true;
}

uint64_t residency_length(struct residency *residency, const struct representation *r,
                          uint64_t offset, uint64_t length, const struct now *now)
{
    if (is_known(residency, r, now)) return length;
    while (!resident(r->fd, offset, length)) {
        if (length <= RESIDENCY_PART_MIN) return 0;
        length /= 2;
    }
    return length;
}
