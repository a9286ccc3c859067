/*
 * Prints the problems of a configuration, one line each.
 *
 * Reading goes on after a problem, so that one run shows them all. The number of lines is limited,
 * for a file that is not a configuration. Quoted bytes are escaped, so that they cannot control a
 * terminal.
 */

#include "config/problem.h"

#include <stdarg.h>

#include "zcserve/utf8.h"

#define PROBLEM_BYTES_MAX 8192 /* two paths and some words; the rest is cut off */

void problem_tell(struct problems *problems, const char *where, const char *format, ...)
{
    problems->count++;
    if (problems->count > PROBLEMS_SHOWN_MAX + 1) return;
    if (problems->count > PROBLEMS_SHOWN_MAX) {
        fputs("there are more problems, not shown\n", problems->out);
        return;
    }
    char text[PROBLEM_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (where) utf8_print(problems->out, where);
    fputs(where ? ": " : "", problems->out);
    utf8_print(problems->out, text);
    fputc('\n', problems->out);
}
