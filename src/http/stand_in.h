/*
 * Gives the bytes of a request to llhttp: as they are, or with stand-ins for bytes that it refuses.
 */
#ifndef ZCSERVE_HTTP_STAND_IN_H
#define ZCSERVE_HTTP_STAND_IN_H

#include "reader.h"

/*
 * Lets llhttp read up to `length` bytes. Returns its error. *at points behind the last byte read,
 * or at the byte that llhttp refused.
 */
llhttp_errno_t plain_parse(struct reader *r, const char *bytes, size_t length, const char **at);

/* As plain_parse(), but with stand-ins. */
llhttp_errno_t stand_in_parse(struct reader *r, const char *bytes, size_t length, const char **at);

#endif
