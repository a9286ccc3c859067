/*
 * Leaves a test that is not possible on this machine.
 */
#ifndef ZCSERVE_TEST_SKIP_H
#define ZCSERVE_TEST_SKIP_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Returns from the test when `cannot` holds, and reports it. tests/run shows the name of the test with the
 * reason (a string), and counts it as skipped, not as passed. It is for functions made by START_TEST, whose
 * names Check ends with "_fn". What the test has opened so far ends with its process.
 */
#define SKIP_IF(cannot, reason)                                                               \
    do {                                                                                      \
        if (cannot) {                                                                         \
            dprintf(STDOUT_FILENO, "skipped %.*s: %s\n", (int)strlen(__func__) - 3, __func__, \
                    (reason));                                                                \
            return;                                                                           \
        }                                                                                     \
    } while (0)

#endif
