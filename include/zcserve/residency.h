/*
 * What an event loop has recently found to be in the page cache, so that hot files are not asked about
 * on every send.
 */
#ifndef ZCSERVE_RESIDENCY_H
#define ZCSERVE_RESIDENCY_H

#include "zcserve/now.h"
#include "zcserve/representation.h"
#include "zcserve/segment.h"

#define RESIDENCY_PARTS 512
#define RESIDENCY_PART_BYTES (UINT64_C(1024) * 1024)
#define RESIDENCY_NS NS_PER_SECOND                  /* a part is asked about so often         */
#define RESIDENCY_CRUMB_BYTES (UINT64_C(64) * 1024) /* less is fetched rather than sent alone */

/* Zeroed at first. */
struct residency {
    struct residency_part {
        const struct representation *of;
        uint64_t part;    /* its number in the file                                       */
        uint64_t version; /* of the file: another one may have its address later           */
        uint64_t until_ns;
    } known[RESIDENCY_PARTS];
};

/*
 * How many bytes from `offset` of `r`, which is in a file, are resident: `length`, or less, or 0. Looks at
 * no less than RESIDENCY_CRUMB_BYTES at a time, unless a known part ends before. Never waits.
 */
uint64_t residency_length(struct residency *residency, const struct representation *r,
                          uint64_t offset, uint64_t length, const struct now *now);

#endif
