/* "Why do the client's figures differ from the server's?" Sentences, each of them computed. */
#ifndef ZCSERVE_EXPLAIN_H
#define ZCSERVE_EXPLAIN_H

#include <stdio.h>

#include "tool/child.h"
#include "tool/load_client.h"
#include "tool/interval.h"

/* One sentence a line. Nothing is printed of what is not known or would not matter. */
void explain(const struct interval *interval, const struct load_client *client,
             const struct child *child, FILE *out);

/*
 * How long something that comes at any moment waits on average for the end of the turn that an event loop
 * is in, in ns: half of E[T²]/E[T], times the share of the time that loops are in a turn. 0 without turns.
 */
double turn_wait_ns(const struct interval *interval);
/* That share, 0 … 1. */
double turn_share(const struct interval *interval);

#endif
