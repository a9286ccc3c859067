/*
 * The reasons for which a connection ends. One table, close_reason.def, lists them; every file that
 * names reasons expands this table.
 */
#ifndef ZCSERVE_CLOSE_REASON_H
#define ZCSERVE_CLOSE_REASON_H

enum close_reason {
#define CLOSE_REASON(name, word, help) CLOSE_##name,
#include "zcserve/close_reason.def"
#undef CLOSE_REASON
    CLOSE_REASON_COUNT
};

/* Returns the word for logs and counters, as in "idle_timeout". */
const char *close_reason_name(enum close_reason reason);

#endif
