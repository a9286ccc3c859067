/* Experiment 14, queueing: the part that is in a file of its own. */
#ifndef LAB_QUEUEING_H
#define LAB_QUEUEING_H

#include "../experiment.h"

/* Says what the figures mean (queueing_find.c). */
void queueing_find(const struct table *t, struct findings *into);

#endif
