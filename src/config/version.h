/*
 * The version and how it was built. The Makefile defines these; otherwise the values here are used.
 */
#ifndef ZCSERVE_VERSION_H
#define ZCSERVE_VERSION_H

#ifndef ZCSERVE_VERSION
#define ZCSERVE_VERSION "unversioned"
#endif

#ifndef ZCSERVE_BUILD
#define ZCSERVE_BUILD "options unknown"
#endif

/* The configuration that zcserve reads without -c and DIR, if it exists. */
#ifndef ZCSERVE_CONFIG_FILE
#define ZCSERVE_CONFIG_FILE "/etc/zcserve/serve.conf"
#endif

#endif
