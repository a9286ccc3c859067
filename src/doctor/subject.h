/*
 * The process whose limits and rights count, and the user whose rights count for files: the
 * server's, as far as it is known. That is the process named by --pid, or doctor itself, which -u
 * makes another user.
 */
#ifndef ZCSERVE_DOCTOR_SUBJECT_H
#define ZCSERVE_DOCTOR_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SUBJECT_GROUPS_MAX 64
#define SUBJECT_UNLIMITED UINT64_MAX

struct subject_limit {
    uint64_t soft, hard; /* SUBJECT_UNLIMITED: no limit */
};

struct subject {
    char directory[32]; /* "/proc/self", "/proc/4711" */
    char name[33];      /* of the user; its number when it has no name; cut */
    bool is_server;     /* it was said that the server is this process, or runs as this user */
    uid_t user;         /* effective */
    gid_t group;
    gid_t groups[SUBJECT_GROUPS_MAX];
    unsigned group_count;
    uint64_t capabilities;              /* effective ones, bit by number (capabilities(7)) */
    struct subject_limit files, locked; /* RLIMIT_NOFILE; RLIMIT_MEMLOCK in bytes          */
};

/*
 * Reads the `status` and `limits` of the process in subject->directory (proc(5)). Returns 0 or
 * -ENOENT.
 */
int subject_read(struct subject *subject, const char *tree);

/* Finds a user by name or number. Returns 0, or -1 when there is none. */
int subject_find(struct subject *subject, const char *name);

/*
 * Makes this process that user for good, with its groups and without capabilities. Only root can
 * become another user. Returns 0 or -errno.
 */
int subject_become(const struct subject *subject);

#endif
