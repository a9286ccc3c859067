/*
 * Asks for the description of a terminal (terminfo(5)) and lets it go again: newterm(3) would leave its
 * memory behind when there is none. Alone in this file, since term.h defines words such as `lines`.
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
