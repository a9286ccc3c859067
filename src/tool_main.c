/*
 * The program zcserve-tool, which `zcserve top`, `report`, `reload`, `upgrade`, `healthcheck`,
 * `doctor` and `precompress` execute. It is a program of its own, so that the server need not load ncurses, curl and the
 * compressors. The first two alone would double the memory that a worker has at its start.
 */
#include <stdio.h>
#include <string.h>

#include "doctor/doctor.h"
#include "precompress/precompress.h"
#include "tool/tool.h"

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (tool_is(name)) return tool_run(argc - 1, argv + 1);
    if (strcmp(name, "doctor") == 0) return doctor_run(argc - 1, argv + 1);
    if (strcmp(name, "precompress") == 0) return precompress_run(argc - 1, argv + 1);
    fputs("usage: zcserve-tool top|report|reload|upgrade|healthcheck|doctor|precompress "
          "[SWITCHES]\n"
          "try 'zcserve top -h', 'zcserve reload -h' and so on\n",
          stderr);
    return TOOL_USAGE;
}
