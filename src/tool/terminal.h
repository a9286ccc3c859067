/*
 * Checks the terminal before ncurses takes it over.
 */
#ifndef ZCSERVE_TOOL_TERMINAL_H
#define ZCSERVE_TOOL_TERMINAL_H

#include <stdbool.h>

/* Returns whether this system has a description of the terminal that TERM names. */
bool terminal_is_known(void);

#endif
