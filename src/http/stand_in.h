/*
 * How llhttp is given the bytes of a request: as they are, or with stand-ins for what it does not take.
 */
#ifndef ZCSERVE_HTTP_STAND_IN_H
#define ZCSERVE_HTTP_STAND_IN_H

#include "reader.h"

/* Lets llhttp read up to `length` bytes; *at is behind the last one read, or the bad one. */
llhttp_errno_t plain_parse(struct reader *r, const char *bytes, size_t length, const char **at);

/* The same, with stand-ins. */
llhttp_errno_t stand_in_parse(struct reader *r, const char *bytes, size_t length, const char **at);

#endif
