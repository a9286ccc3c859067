/*
 * llhttp refuses two things that are allowed or common: a tab after some values (RFC 9110 §5.6.3),
 * and bytes above ASCII in a target. So when llhttp stops at a head, the head is read again with
 * stand-ins of the same length: a space for a tab in a value, a letter for a byte above ASCII in
 * the target. Only llhttp gets the stand-ins; all texts point to the bytes received. All other
 * bytes are given as they are, so that nothing else becomes acceptable.
 */
#include "stand_in.h"

llhttp_errno_t plain_parse(struct reader *r, const char *bytes, size_t length, const char **at)
{
    llhttp_errno_t error = llhttp_execute(&r->parser, bytes, length);
    *at = error == HPE_OK ? bytes + length : llhttp_get_error_pos(&r->parser);
    return error;
}

/* Returns whether `at` is in the target, behind its first byte. */
static bool is_in_target(const struct reader *r, const char *at)
{
    return r->request->target.base && r->request->target.base + r->request->target.length == at;
}

/* Returns whether `at` is behind the colon of a field line. */
static bool is_in_value(const struct reader *r, const char *at)
{
    return r->name.base && r->name.base + r->name.length < at &&
           r->name.base[r->name.length] == ':';
}

/* Returns the stand-in for the byte `at`, up to which llhttp has read; NULL for the byte itself. */
static const char *stand_in(const struct reader *r, const char *at)
{
    if ((unsigned char)*at >= 0x80) return is_in_target(r, at) ? "x" : NULL;
    return *at == '\t' && is_in_value(r, at) ? " " : NULL;
}

static size_t plain_length(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && (unsigned char)bytes[at] < 0x80 && bytes[at] != '\t')
        at++;
    return at;
}

llhttp_errno_t stand_in_parse(struct reader *r, const char *bytes, size_t length, const char **at)
{
    const char *end = bytes + length;
    llhttp_errno_t error = HPE_OK;
    *at = bytes;
    while (*at < end && error == HPE_OK) {
        const char *here = *at;
        size_t plain = plain_length(here, (size_t)(end - here));
        if (plain > 0) {
            error = plain_parse(r, here, plain, at);
            continue;
        }
        const char *given = stand_in(r, here);
        error = plain_parse(r, given ? given : here, 1, at);
        *at = error == HPE_OK ? here + 1 : here;
    }
    return error;
}
