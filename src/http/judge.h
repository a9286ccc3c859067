/*
 * The judge of a request's head, for reader.c, which reads it.
 */
#ifndef ZCSERVE_HTTP_JUDGE_H
#define ZCSERVE_HTTP_JUDGE_H

#include "reader.h"

/*
 * Takes in one field line of the head, its value without the white space around it. NONE, or why the
 * request is refused.
 */
enum refusal judge_line(struct reader *r, struct text name, struct text value);

/* Whether the parser will take for content what the field lines say is content. */
bool judge_framing(const struct reader *r);

/* The whole head, once it has ended: NONE, or why the request is refused. */
enum refusal judge_head(const struct reader *r);

/* Whether content follows the head. */
bool judge_has_content(const struct reader *r);

/* Whether that is not waited for: the client holds it back (RFC 9110 §10.1.1), or it is too long. */
bool judge_content_is_left(const struct reader *r);

#endif
