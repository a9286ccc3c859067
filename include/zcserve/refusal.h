/*
 * The reasons for which a request is refused. One table, refusal.def, lists them; every file that
 * names reasons expands this table. A request with several faults is refused for the first one
 * found.
 * Which one that is may depend on the pieces in which the request came, but the status does not.
 */
#ifndef ZCSERVE_REFUSAL_H
#define ZCSERVE_REFUSAL_H

#include <stdint.h>

enum refusal {
#define REFUSAL(name, status, word, help) REFUSAL_##name,
#include "zcserve/refusal.def"
#undef REFUSAL
    REFUSAL_COUNT
};

const char *refusal_name(enum refusal refusal); /* the word for metrics, as in "request_line" */
uint16_t refusal_status(enum refusal refusal);  /* the status code; 0 for REFUSAL_NONE */

#endif
