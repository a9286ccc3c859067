/*
 * Why a connection ended: one table (close_reason.def), expanded wherever reasons are named.
 */
#ifndef ZCSERVE_CLOSE_REASON_H
#define ZCSERVE_CLOSE_REASON_H

enum close_reason {
#define CLOSE_REASON(name, word, help) CLOSE_##name,
#include "zcserve/close_reason.def"
#undef CLOSE_REASON
    CLOSE_REASON_COUNT
};

const char *close_reason_name(enum close_reason reason);

#endif
