/* What happens when a system call is refused. */
#ifndef ZCSERVE_CONFINE_REFUSED_H
#define ZCSERVE_CONFINE_REFUSED_H

#include <stdbool.h>

/* Returns whether the registers of this processor are known, so that a refused call can fail. */
bool refused_is_known(void);

/*
 * From now on a refused call (SIGSYS, SECCOMP_RET_TRAP) is logged and fails, with the errno that
 * `error_of` returns for its number.
 */
void refused_listen(int (*error_of)(int number));

#endif
