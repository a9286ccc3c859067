/* One GET from the status listener. */
#ifndef ZCSERVE_FETCH_H
#define ZCSERVE_FETCH_H

#include <stddef.h>

#define FETCH_BYTES_MAX (64U << 20) /* bytes of a response; a larger one is refused */
#define FETCH_PROBLEM_MAX 512

/* The content of a response. The caller frees `text`; a NUL follows its last byte. */
struct fetched {
    char *text;
    size_t length;
};

/*
 * GETs `path` ("/status.json?buckets=1") from `address` ("127.0.0.1:8081", "[::1]:8081",
 * "unix:/PATH", "unix:@NAME"). Returns 0; or -1 with a line in `problem` (FETCH_PROBLEM_MAX bytes) that says what
 * is wrong and what to check. Waits at most one second to connect and three seconds in all.
 */
int fetch(const char *address, const char *path, struct fetched *out, char *problem);

#endif
