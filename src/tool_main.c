/*
 * The program zcserve-tool, which `zcserve top` and `zcserve report` execute. It is a program of
 * its own, so that the server need not load ncurses and curl. They would double the memory that a
 * worker has at its start.
 */
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

int main(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "top") == 0 || strcmp(argv[1], "report") == 0))
        return tool_run(argc - 1, argv + 1);
    fputs(
        "usage: zcserve-tool top|report [SWITCHES]\ntry 'zcserve top -h' and 'zcserve report -h'\n",
        stderr);
    return TOOL_USAGE;
}
