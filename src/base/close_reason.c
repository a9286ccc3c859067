/*
 * The words of the close reasons, from the table that lists them.
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
