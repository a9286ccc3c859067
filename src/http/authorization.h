/*
 * Reads the credentials of the Basic scheme from a request.
 */
#ifndef ZCSERVE_HTTP_AUTHORIZATION_H
#define ZCSERVE_HTTP_AUTHORIZATION_H

#include "fields.h"
#include "zcserve/users.h"

/*
 * Sets the name and the password that Authorization has (RFC 9110 §11.6.2, RFC 7617 §2). They are
 * decoded in place: the value of the field is gone afterwards, and the texts are where it was.
 *
 * Returns false when there is no such line or more than one, for another scheme, wrong base64
 * (RFC 4648 §4), no colon, a control character, or more than USER_NAME_MAX or PASSWORD_MAX bytes.
 */
bool authorization_read(const struct fields *fields, struct credentials *credentials);

#endif
