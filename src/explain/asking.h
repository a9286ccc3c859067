/* The request of --explain, as a client would send it: made from a URL and fields. */
#ifndef ZCSERVE_EXPLAIN_ASKING_H
#define ZCSERVE_EXPLAIN_ASKING_H

#include "zcserve/command_line.h"
#include "zcserve/network.h"

struct asking {
    char *bytes; /* the request; asking_free() frees it */
    size_t length;
    struct origin from;
    const char *from_text;
    const char *fragment; /* of the URL, with its "#", which no client sends; or NULL */
};

/*
 * Makes the request. The URL is http://HOST/PATH, https://HOST/PATH or /PATH, which has the host
 * "localhost"; a field Host replaces either. Returns false with one line in `problem` when that is no
 * request, or memory is short.
 */
bool asking_make(const struct command_request *asked, struct asking *out, char *problem,
                 size_t size);
void asking_free(struct asking *asking);

#endif
