/* The files of users that the rules of a configuration name. Rules that name the same file share its users. */
#ifndef ZCSERVE_START_USERS_FILES_H
#define ZCSERVE_START_USERS_FILES_H

#include "zcserve/htpasswd.h"

#define USERS_FILES_MAX 64

struct users_files {
    struct users_file {
        const char *name; /* of the configuration */
        struct users *users;
    } file[USERS_FILES_MAX];
    uint32_t count;
};

void users_files_free(struct users_files *files);

#endif
