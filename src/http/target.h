/*
 * Makes a safe relative path from a request target (RFC 9112 §3.2; RFC 3986 §5.2.4, §6.2.2).
 */
#ifndef ZCSERVE_HTTP_TARGET_H
#define ZCSERVE_HTTP_TARGET_H

#include "authority.h"
#include "zcserve/text.h"

enum target_form {
    TARGET_ORIGIN,   /* "/path?query"                 */
    TARGET_ABSOLUTE, /* "http://authority/path?query" */
    TARGET_ASTERISK, /* "*"                           */
    TARGET_BAD       /* none of these, or not safe    */
};

struct target {
    enum target_form form;
    struct text authority; /* ABSOLUTE: host and port as received; else absent                   */
    struct text query;     /* as received, without "?"; absent when there is no "?"              */
    struct text path;      /* in the caller's space, with a NUL behind it: decoded once, without */
                           /* dot segments, empty segments and a leading "/"; a "/" at the end   */
                           /* stays. Other bytes may be any, such as controls or invalid UTF-8.  */
};

/*
 * Reads `raw` and writes the path to `space`, which must have room for raw.length + 1 bytes.
 * The form is BAD for: a malformed percent-encoding, an encoded NUL or "/", a control byte or
 * space, a fragment, dot segments that lead above the root, user information, an absolute form
 * without a host or with a scheme other than http and https, and the authority form of CONNECT.
 * Then all texts are absent and `path` is empty.
 */
struct target target_parse(struct text raw, char *space);

#endif
