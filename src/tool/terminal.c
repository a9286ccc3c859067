/*
 * Looks up the description of the terminal (terminfo(5)) and frees it: newterm(3) would leak memory
 * when there is none. It is in a file of its own, because term.h defines macros such as `lines`.
 */
#include "tool/terminal.h"

#include <ncurses.h>
#include <term.h>
#include <unistd.h>

bool terminal_is_known(void)
{
    int found = 0;
    bool known = setupterm(NULL, STDOUT_FILENO, &found) == OK;
    if (known) del_curterm(cur_term);
    return known;
}
