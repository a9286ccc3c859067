/* The order in which workers are shown. */
#ifndef ZCSERVE_ORDER_H
#define ZCSERVE_ORDER_H

#include "tool/view.h"

/*
 * Returns indexes of interval->worker in the order to show, and sets *count. Slots without a worker
 * that had no request are left out. The caller frees the list. It is NULL, and *count 0, without
 * memory.
 */
uint32_t *workers_order(const struct interval *interval, enum view_sort sort, uint32_t *count);

#endif
