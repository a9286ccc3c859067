/* "What does the server say?" One GET of the status listener. */
#ifndef ZCSERVE_FETCH_H
#define ZCSERVE_FETCH_H

#include <stddef.h>

#define FETCH_BYTES_MAX (64U << 20) /* of an answer; larger ones are refused */
#define FETCH_PROBLEM_MAX 512

/* An answer's content. `text` is its owner's, who frees it; a NUL follows its last byte. */
struct fetched {
    char *text;
    size_t length;
};

/*
 * GETs `path` ("/status.json?buckets=1") from `address` ("127.0.0.1:8081", "[::1]:8081", "unix:/PATH"). 0, or -1 after
 * a line that says what is wrong and what to check was written to `problem` (FETCH_PROBLEM_MAX
 * bytes). Waits at most a second to connect and three for the whole.
 */
int fetch(const char *address, const char *path, struct fetched *out, char *problem);

#endif
