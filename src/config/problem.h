/* The problems of a configuration. Each is one line: "serve.conf:12: unknown option 'lisen'". */
#ifndef ZCSERVE_PROBLEM_H
#define ZCSERVE_PROBLEM_H

#include <stdio.h>

#define PROBLEMS_SHOWN_MAX 20

/* Where the operator wrote something. */
struct place {
    const char *file; /* as the operator named it, or a switch, as "-p"; NULL: nowhere */
    int line;         /* from 1; 0: no line                                            */
};

struct problems {
    FILE *out;
    unsigned count;
};

/* Counts a problem and prints it. After PROBLEMS_SHOWN_MAX it prints, once, that there are more. */
void problem_tell(struct problems *problems, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
