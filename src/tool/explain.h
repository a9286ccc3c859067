/*
 * Explains why the client's figures differ from the server's, in sentences with computed figures.
 */
#ifndef ZCSERVE_EXPLAIN_H
#define ZCSERVE_EXPLAIN_H

#include <stdio.h>

#include "tool/child.h"
#include "tool/load_client.h"
#include "tool/interval.h"

/* Writes the sentences, each on a line. What is not known, or does not matter, is left out. */
void explain(const struct interval *interval, const struct load_client *client,
             const struct child *child, FILE *out);

/*
 * Returns how long, on average, a request that comes at any moment waits for the end of the current
 * turn of an event loop, in ns: half of E[T²]/E[T], times turn_share(). 0 without turns.
 */
double turn_wait_ns(const struct interval *interval);
/* Returns the share of the time, 0 … 1, during which event loops are in a turn. */
double turn_share(const struct interval *interval);

#endif
