/* The recorded output of real programs, in tests/recorded/. Tests run from the root of the project. */
#ifndef ZCSERVE_TEST_RECORDED_H
#define ZCSERVE_TEST_RECORDED_H

#include <stddef.h>

/*
 * Returns the content of tests/recorded/`name`, with a NUL after it. The caller frees it. Fails the test
 * when there is no such file.
 */
char *recorded_read(const char *name, size_t *length);

#endif
