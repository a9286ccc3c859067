/*
 * The program zcserve-tool, which `zcserve top`, `zcserve report` and `zcserve doctor` execute. It
 * is a program of its own, so that the server need not load ncurses and curl. They would double the
 * memory that a worker has at its start.
 */
#include <stdio.h>
#include <string.h>

#include "doctor/doctor.h"
#include "tool/tool.h"

int main(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "top") == 0 || strcmp(argv[1], "report") == 0))
        return tool_run(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "doctor") == 0) return doctor_run(argc - 1, argv + 1);
    fputs("usage: zcserve-tool top|report|doctor [SWITCHES]\n"
          "try 'zcserve top -h', 'zcserve report -h' and 'zcserve doctor -h'\n",
          stderr);
    return TOOL_USAGE;
}
