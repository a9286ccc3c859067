/*
 * Remembers which parts of files an event loop has recently found in the page cache, so that the
 * kernel is not asked about hot files before every send.
 */
#ifndef ZCSERVE_RESIDENCY_H
#define ZCSERVE_RESIDENCY_H

#include "zcserve/now.h"
#include "zcserve/representation.h"
#include "zcserve/segment.h"

#define RESIDENCY_PARTS 512
#define RESIDENCY_PART_BYTES (UINT64_C(1024) * 1024)
#define RESIDENCY_NS NS_PER_SECOND                  /* how long a result is remembered        */
#define RESIDENCY_CRUMB_BYTES (UINT64_C(64) * 1024) /* a smaller part is fetched, not sent    */

/* Zeroed at first. */
struct residency {
    struct residency_part {
        const struct representation *of;
        uint64_t part;     /* number of the part in the file                                  */
        uint64_t version;  /* of `of`: another representation may have the same address later */
        uint64_t until_ns; /* until when the part counts as resident                          */
    } known[RESIDENCY_PARTS];
};

/*
 * Returns how many bytes from `offset` of `r`, which is in a file, are resident: `length`, or less,
 * or 0. It checks at least RESIDENCY_CRUMB_BYTES at a time, unless a known part ends before. Never
 * waits.
 */
uint64_t residency_length(struct residency *residency, const struct representation *r,
                          uint64_t offset, uint64_t length, const struct now *now);

#endif
