/*
 * A request target (RFC 9112 §3.2) made into a safe relative path (RFC 3986 §5.2.4, §6.2.2).
 */
#ifndef ZCSERVE_HTTP_TARGET_H
#define ZCSERVE_HTTP_TARGET_H

#include "authority.h"
#include "zcserve/text.h"

enum target_form {
    TARGET_ORIGIN,   /* "/path?query"                  */
    TARGET_ABSOLUTE, /* "http://authority/path?query"  */
    TARGET_ASTERISK, /* "*"                            */
    TARGET_BAD       /* none of these, or not safe     */
};

struct target {
    enum target_form form;
    struct text authority; /* ABSOLUTE: host and port as received; else absent                   */
    struct text query;     /* as received, without "?"; absent when there is no "?"              */
    struct text path;      /* in the caller's space: decoded once, dot segments and empty        */
                           /* segments removed, no leading "/", a trailing one kept; NUL after   */
                           /* it; any other bytes, controls and what is not UTF-8 included       */
};

/*
 * Reads `raw`, writing the path into `space`, which must have room for raw.length + 1 bytes.
 * BAD: a bad percent sign, an encoded NUL or "/", a bare control byte or space, a fragment, dot segments
 * that climb above the root, user information; also an absolute form without a host or of another
 * scheme than http and https, and CONNECT's authority form. BAD leaves all texts absent, `path` empty.
 */
struct target target_parse(struct text raw, char *space);

#endif
