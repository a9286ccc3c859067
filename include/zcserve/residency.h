/*
 * What an event loop has recently found to be in the page cache, so that hot files are not asked about
 * on every send.
 */
#ifndef ZCSERVE_RESIDENCY_H
#define ZCSERVE_RESIDENCY_H

#include "zcserve/now.h"
#include "zcserve/representation.h"
#include "zcserve/segment.h"

#define RESIDENCY_FILES 64
#define RESIDENCY_NS NS_PER_SECOND /* a whole file is asked about so often   */
#define RESIDENCY_WHOLE_MAX (UINT64_C(16) * 1024 * 1024) /* larger ones are asked part by part */
#define RESIDENCY_PART_MIN (UINT64_C(64) * 1024) /* less is fetched rather than sent alone */

/* Zeroed at first. */
struct residency {
    struct {
        const struct representation *of;
        uint64_t tag; /* of its entity-tag: another may have its address later */
        uint64_t until_ns;
    } known[RESIDENCY_FILES];
};

/*
 * How many bytes from `offset` of `r`, which is in a file, are resident: `length`, or less, or 0. Looks at
 * no less than RESIDENCY_PART_MIN at a time. Never waits.
 */
uint64_t residency_length(struct residency *residency, const struct representation *r,
                          uint64_t offset, uint64_t length, const struct now *now);

#endif
