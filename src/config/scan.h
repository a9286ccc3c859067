/* The tokens of a configuration file, each with its line. */
#ifndef ZCSERVE_SCAN_H
#define ZCSERVE_SCAN_H

#include <obstack.h>
#include <stddef.h>

enum {
    TOKEN_END = -2,   /* the end of the file                                        */
    TOKEN_FAULT = -1, /* something that cannot be read; no other token follows      */
    TOKEN_TEXT = 0    /* a word or a text in quotes; a sign is its own byte, as '{' */
};

struct scan {
    const char *at, *end;
    struct obstack *keep; /* owns the texts of all tokens */
    int token;
    int line;         /* of the token, from 1                                     */
    const char *text; /* of the token; of a fault, the message that describes it  */
};

/* Begins to scan `bytes`, which must stay as they are, and reads the first token. */
void scan_begin(struct scan *scan, const char *bytes, size_t length, struct obstack *keep);

/* Reads the next token. After the end or a fault, the token stays the same. */
void scan_next(struct scan *scan);

/* Turns the token into a fault with this line and message, unless it is a fault already. */
void scan_fail(struct scan *scan, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
