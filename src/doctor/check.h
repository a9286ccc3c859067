/*
 * The checks. Each is a function that compares facts with files of /proc and /sys below
 * facts->tree, and adds a finding for what is not as it should be. It changes nothing and asks the
 * system nothing else. To add one, write the function, declare it here, and add its line to the
 * table in check.c.
 */
#ifndef ZCSERVE_DOCTOR_CHECK_H
#define ZCSERVE_DOCTOR_CHECK_H

#include "doctor/facts.h"
#include "doctor/finding.h"

#define CHECKS_MAX 32

/* What must be so for a check to mean anything. */
enum {
    NEEDS_TCP = 1 << 0,       /* an address that is no Unix socket              */
    NEEDS_LOOPS = 1 << 1,     /* a model with event loops                       */
    NEEDS_RINGS = 1 << 2,     /* a model that may use io_uring                  */
    NEEDS_FILES = 1 << 3,     /* a root that could be looked at                 */
    NEEDS_USER = 1 << 4,      /* rights of a user, since root may do everything */
    NEEDS_SERVER = 1 << 5,    /* that -u or --pid said who serves               */
    NEEDS_DISK = 1 << 6,      /* files on one disk                              */
    NEEDS_LARGE = 1 << 7,     /* files that are too large to be kept in memory  */
    NEEDS_CACHE = 1 << 8,     /* memory for the cache                           */
    NEEDS_WATCHES = 1 << 9,   /* directories that are watched                   */
    NEEDS_LOGS = 1 << 10,     /* a log that is a file                           */
    NEEDS_SIDECARS = 1 << 11, /* sidecars that are looked for                   */
    NEEDS_USERS = 1 << 12,    /* a rule that asks for users                     */
    NEEDS_COUNT = 13
};

/*
 * Adds what it finds. Returns NULL when it could look; else why not, such as the path of a file
 * that is not there.
 */
typedef const char *check_function(const struct facts *facts, struct findings *findings);

struct check {
    const char *name;
    unsigned needs;
    check_function *look;
    const char *what; /* what it compares, for -h */
};

extern const struct check checks[]; /* the last has no name */

/*
 * Runs all checks. why_not[] gets, for each, NULL or why it did not look. Returns how many looked.
 */
unsigned checks_run(const struct facts *facts, struct findings *findings,
                    const char *why_not[CHECKS_MAX]);

/* check_start.c: what keeps the server from starting */
check_function check_root, check_user, check_listen, check_privileged, check_logs;
/* check_users.c: files of users */
check_function check_users;
/* check_limits.c: limits of the process, of its user and of the network */
check_function check_descriptors, check_memlock, check_io_uring, check_backlog, check_ports,
    check_conntrack;
/* check_files.c: the files below the roots */
check_function check_survey, check_readable, check_owners, check_own, check_links, check_sidecars;
/* check_changes.c: how changes of files, and what of them is in memory, are seen */
check_function check_notification, check_watches, check_residency;
/* check_machine.c: memory, disk and clock */
check_function check_memory, check_swap, check_dirty, check_huge_pages, check_read_ahead,
    check_scheduler, check_clock;

#endif
