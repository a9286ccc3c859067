/* What an experiment itself must tell the guards. They find the rest themselves (lab.h). */
#ifndef LAB_GUARDS_H
#define LAB_GUARDS_H

#include "measure.h"

/* Call this in run() when two sides talk to each other: it warns when they were on the same CPU. */
void guard_same_cpu(struct measure *m, int cpu, int other);

#endif
