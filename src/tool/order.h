/* "In which order do workers stand?" */
#ifndef ZCSERVE_ORDER_H
#define ZCSERVE_ORDER_H

#include "tool/view.h"

/*
 * Positions in interval->worker, the first to be shown first, and how many. Slots that nobody has now and that
 * did nothing are left out. The caller frees it; NULL without memory, and then *count is 0.
 */
uint32_t *workers_order(const struct interval *interval, enum view_sort sort, uint32_t *count);

#endif
