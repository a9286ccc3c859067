/*
 * Prints what is wrong with a configuration, a line for each problem.
 *
 * Reading goes on after a problem, so that one run shows them all; a file that is no configuration
 * at all does not fill the terminal.
 */

#include "config/problem.h"

#include <stdarg.h>

void problem_tell(struct problems *problems, struct place at, const char *format, ...)
{
    problems->count++;
    if (problems->count > PROBLEMS_SHOWN_MAX) {
        if (problems->count == PROBLEMS_SHOWN_MAX + 1) {
            fputs("there are more problems, not shown\n", problems->out);
        }
        return;
    }
    if (at.file && at.line > 0) {
        fprintf(problems->out, "%s:%d: ", at.file, at.line);
    } else if (at.file) {
        fprintf(problems->out, "%s: ", at.file);
    }
    va_list arguments;
    va_start(arguments, format);
    vfprintf(problems->out, format, arguments);
    va_end(arguments);
    fputc('\n', problems->out);
}
