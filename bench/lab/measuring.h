/* The frame's side of a measurement: what it reads before and after, and the row that it fills. */
#ifndef LAB_MEASURING_H
#define LAB_MEASURING_H

#include "calls.h"
#include "device.h"
#include "measure.h"
#include "table.h"
#include "usage.h"

struct measuring {
    const struct table *table;
    struct cell *row;
    const struct device *device; /* NULL: no device is counted */
    double null_ns;              /* time of an operation that does nothing; 0: not known */
    uint64_t seconds_ns;         /* how long it may take */
    uint64_t begun_ns;
    struct usage usage_before;
    struct device_counts device_before;
    double calls_before;
};

/* Sets a figure that has no value yet. */
void row_set(struct measuring *on, const char *name, double value);

/* Reads clock and counters; the second reads them again and fills the common figures of the row. */
void measuring_begin(struct measuring *on);
void measuring_end(struct measuring *on, const struct measure *m);

#endif
