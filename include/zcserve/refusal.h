/*
 * Why a request was refused: one table (refusal.def), expanded wherever reasons are named. Of a request with
 * several faults the first one met is told; in which pieces it came may decide which, but not the status.
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

const char *refusal_name(enum refusal refusal);
uint16_t refusal_status(enum refusal refusal); /* 0 for NONE */

#endif
