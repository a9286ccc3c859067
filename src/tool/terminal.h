/*
 * What can be said of a terminal before it is taken over.
 */
#ifndef ZCSERVE_TOOL_TERMINAL_H
#define ZCSERVE_TOOL_TERMINAL_H

#include <stdbool.h>

/* Is the one that TERM names described on this system? */
bool terminal_is_known(void);

#endif
