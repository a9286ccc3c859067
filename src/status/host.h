/*
 * Checks the host of a request, against DNS rebinding: a foreign page in a browser on this machine
 * can make its own name resolve to 127.0.0.1, and then read responses as if they came from its own
 * server. It cannot make the browser send another name than its own, so requests under unknown
 * names are refused. An address cannot be resolved to something else, so it is allowed. Pure.
 */
#ifndef ZCSERVE_STATUS_HOST_H
#define ZCSERVE_STATUS_HOST_H

#include <stdbool.h>

/*
 * Returns whether a value of Host (RFC 9110 §7.2) is an IP address, localhost or one of `names`,
 * which end with NULL; "*" among them allows any. A port must be well-formed but may have any
 * value. Case is ignored, and so is a dot at the end.
 */
bool host_is_known(const char *value, const char *const *names);

#endif
