/* Experiment 14, queueing: the part in a file of its own. */
#ifndef LAB_QUEUEING_H
#define LAB_QUEUEING_H

#include "../experiment.h"

/* What the figures say (queueing_find.c). */
void queueing_find(const struct table *t, struct findings *into);

#endif
