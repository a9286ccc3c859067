/* What an experiment itself must tell the guards; the rest they see (lab.h). */
#ifndef LAB_GUARDS_H
#define LAB_GUARDS_H

#include "measure.h"

/* Call in run() when two sides talk to each other: warns when they were on the same CPU. */
void guard_same_cpu(struct measure *m, int cpu, int other);

#endif
