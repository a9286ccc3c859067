/*
 * The program zcserve-tool, which `zcserve top`, `report` and `reload` execute. It is a program of
 * its own, so that the server need not load ncurses and curl. They would double the memory that a
 * worker has at its start.
 */
#include <stdio.h>
#include <string.h>

#include "tool/tool.h"

int main(int argc, char **argv)
{
    if (argc > 1 && tool_is(argv[1])) return tool_run(argc - 1, argv + 1);
    fputs(
        "usage: zcserve-tool top|report|reload [SWITCHES]\n"
        "try 'zcserve top -h', 'zcserve report -h' and 'zcserve reload -h'\n",
        stderr);
    return TOOL_USAGE;
}
