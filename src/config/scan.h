/* "What comes next in the file?" A configuration's text as tokens, with the lines they stand on. */
#ifndef ZCSERVE_SCAN_H
#define ZCSERVE_SCAN_H

#include <obstack.h>
#include <stddef.h>

enum {
    TOKEN_END = -2,   /* of the file                                                */
    TOKEN_FAULT = -1, /* what cannot be read; no other token follows                */
    TOKEN_TEXT = 0    /* a word, or a text in quotes; other tokens are their byte: '{' */
};

struct scan {
    const char *at, *end;
    struct obstack *keep; /* where texts are kept */
    int token;
    int line;         /* of the token, from 1                                               */
    const char *text; /* of the token; of a fault what is wrong: "this text is not closed …" */
};

/* Begins a text, and reads its first token. The bytes stay the caller's. */
void scan_begin(struct scan *scan, const char *bytes, size_t length, struct obstack *keep);

/* Goes on to the next token. */
void scan_next(struct scan *scan);

/* Makes the token a fault, unless it is one already. */
void scan_fail(struct scan *scan, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
