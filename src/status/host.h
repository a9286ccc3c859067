/*
 * "Is this us?" A page of somebody else's, open in a browser on this machine, can make its own name lead to
 * 127.0.0.1 (DNS rebinding) and then read what is answered as if it came from itself. It cannot make the
 * browser ask under another name than its own, so a name that is not known is not answered. An address cannot be
 * made to lead elsewhere. Pure.
 */
#ifndef ZCSERVE_STATUS_HOST_H
#define ZCSERVE_STATUS_HOST_H

#include <stdbool.h>

/*
 * Whether a value of Host (RFC 9110 §7.2) is an IP address, localhost or one of `names`, which end with NULL; "*"
 * among them is any. A port is not looked at, but must be one; case does not count, nor a dot at the end.
 */
bool host_is_known(const char *value, const char *const *names);

#endif
