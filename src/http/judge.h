/*
 * Judges the head of a request while reader.c reads it.
 */
#ifndef ZCSERVE_HTTP_JUDGE_H
#define ZCSERVE_HTTP_JUDGE_H

#include "reader.h"

/*
 * Takes one field line of the head, whose value has no white space around it. Returns NONE, or why
 * the request is refused.
 */
enum refusal judge_line(struct reader *r, struct text name, struct text value);

/* Returns whether llhttp framed the content as the field lines say. */
bool judge_framing(const struct reader *r);

/* Judges the whole head, once it has ended. Returns NONE, or why the request is refused. */
enum refusal judge_head(const struct reader *r);

/* Returns whether content follows the head. */
bool judge_has_content(const struct reader *r);

/*
 * Returns whether the content is not to be read: the client holds it back until it gets a 100
 * response (RFC 9110 §10.1.1), or it is longer than the limit.
 */
bool judge_content_is_left(const struct reader *r);

#endif
