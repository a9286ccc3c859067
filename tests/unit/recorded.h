/* The recorded output of real programs, in tests/recorded/. Tests run from the root of the project. */
#ifndef ZCSERVE_TEST_RECORDED_H
#define ZCSERVE_TEST_RECORDED_H

#include <stddef.h>

/* The content of tests/recorded/`name`, with a NUL after it; the caller frees it. Fails the test when it is not there. */
char *recorded_read(const char *name, size_t *length);

#endif
