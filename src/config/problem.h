/* "What is wrong, and where?" Each problem is a line: "serve.conf:12: unknown option 'lisen'". */
#ifndef ZCSERVE_PROBLEM_H
#define ZCSERVE_PROBLEM_H

#include <stdio.h>

#define PROBLEMS_SHOWN_MAX 20

/* Where the operator wrote something. */
struct place {
    const char
        *file; /* as the operator named it, or an option of the command line; NULL: nowhere */
    int line;  /* from 1; 0: the whole of it                                               */
};

struct problems {
    FILE *out;
    unsigned count;
};

/* Counts a problem and prints it; after PROBLEMS_SHOWN_MAX of them, only that there are more. */
void problem_tell(struct problems *problems, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
