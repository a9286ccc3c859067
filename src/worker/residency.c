/*
 * To ask the kernel about a range costs 20 to 50 ns for each page, a quarter of the cost of sending
 * it. So a part of a file that was found resident counts as resident for a second. In this second
 * its pages were used, and the kernel evicts pages that are not used.
 */
#include "zcserve/residency.h"
#include "zcserve/resident.h"

static bool part_is_resident(const struct representation *r, uint64_t part)
{
    uint64_t offset = part * RESIDENCY_PART_BYTES, left = r->length - offset;
    return resident(r->fd, offset, left < RESIDENCY_PART_BYTES ? left : RESIDENCY_PART_BYTES);
}

static bool is_known(struct residency *residency, const struct representation *r, uint64_t part,
                     const struct now *now)
{
    struct residency_part *known = &residency->known[((uintptr_t)r / 64 + part) % RESIDENCY_PARTS];
    if (known->of == r && known->part == part && known->version == r->version &&
        now->monotonic_ns < known->until_ns)
        return true;
    if (!part_is_resident(r, part)) return false;
    *known = (struct residency_part){r, part, r->version, now->monotonic_ns + RESIDENCY_NS};
    return true;
}

uint64_t residency_length(struct residency *residency, const struct representation *r,
                          uint64_t offset, uint64_t length, const struct now *now)
{
    uint64_t first = offset / RESIDENCY_PART_BYTES, part = first;
    uint64_t last = (offset + length - 1) / RESIDENCY_PART_BYTES;
    while (part <= last && is_known(residency, r, part, now))
        part++;
    if (part > last) return length;
    if (part > first) return part * RESIDENCY_PART_BYTES - offset;
    while (!resident(r->fd, offset, length)) {
        if (length <= RESIDENCY_CRUMB_BYTES) return 0;
        length /= 2;
    }
    return length;
}
