/*
 * What comes before the first request and is not HTTP, such as the header of a proxy. It is received
 * like a request, into the same buffer, and somebody else reads it.
 */
#include "work.h"

#include <assert.h>

struct text conn_prelude(struct conn *c, size_t length)
{
    assert(conn_receives(c) && c->requests == 0);
    return http1_prelude(&c->work->http1, length);
}

bool conn_prelude_has_room(const struct conn *c)
{
    return http1_has_room(&c->work->http1);
}

size_t conn_prelude_end(struct conn *c, size_t length)
{
    return http1_prelude_end(&c->work->http1, length);
}
