/* "Which zcserve is this?" The Makefile says; these stand in where it did not. */
#ifndef ZCSERVE_VERSION_H
#define ZCSERVE_VERSION_H

#ifndef ZCSERVE_VERSION
#define ZCSERVE_VERSION "unversioned"
#endif

#ifndef ZCSERVE_BUILD
#define ZCSERVE_BUILD "options unknown"
#endif

/* What a bare zcserve reads, when it is there. */
#ifndef ZCSERVE_CONFIG_FILE
#define ZCSERVE_CONFIG_FILE "/etc/zcserve/serve.conf"
#endif

#endif
