/*
 * The words and the status codes of refusals, from the table that lists them.
 */
#include "zcserve/refusal.h"

#include <assert.h>

static const struct {
    const char *word;
    uint16_t status;
} refusals[REFUSAL_COUNT] = {
#define REFUSAL(name, code, text, help) [REFUSAL_##name] = {text, code},
#include "zcserve/refusal.def"
#undef REFUSAL
};

const char *refusal_name(enum refusal refusal)
{
    assert(refusal < REFUSAL_COUNT);
    return refusals[refusal].word;
}

uint16_t refusal_status(enum refusal refusal)
{
    assert(refusal < REFUSAL_COUNT);
    return refusals[refusal].status;
}
