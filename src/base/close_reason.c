/*
 * The words for why a connection ended, from the one table that lists the reasons.
 */
#include "zcserve/close_reason.h"

#include <assert.h>

const char *close_reason_name(enum close_reason reason)
{
    static const char *const word[CLOSE_REASON_COUNT] = {
#define CLOSE_REASON(name, text, help) [CLOSE_##name] = text,
#include "zcserve/close_reason.def"
#undef CLOSE_REASON
    };
    assert(reason < CLOSE_REASON_COUNT);
    return word[reason];
}
