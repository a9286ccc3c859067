/* The problems of a configuration. Each is one line: "serve.conf:12: unknown option 'lisen'". */
#ifndef ZCSERVE_PROBLEM_H
#define ZCSERVE_PROBLEM_H

#include <stdio.h>

#define PROBLEMS_SHOWN_MAX 20

struct problems {
    FILE *out;
    unsigned count;
};

/*
 * Counts a problem and prints it. After PROBLEMS_SHOWN_MAX it prints, once, that there are more.
 * `where` is a place, as "serve.conf:12", or a switch, as "-p"; NULL: the problem has no place.
 */
void problem_tell(struct problems *problems, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
