/*
 * Users, and what a request says to be one of them. These are plain structs: start/ makes the users
 * from a file (htpasswd.h), the core asks for credentials, and the worker has them checked (guard.h).
 */
#ifndef ZCSERVE_USERS_H
#define ZCSERVE_USERS_H

#include "zcserve/text.h"

#include <stdint.h>

#define USER_NAME_MAX 255 /* bytes */
#define PASSWORD_MAX 511  /* bytes: what crypt(3) takes */

struct user {
    struct text name;
    const char *hash; /* as crypt(3) writes it, ends with a NUL */
};

/* The users of one file. They never change. */
struct users {
    uint32_t number; /* of the file: no two of a server have the same          */
    uint32_t count;  /* at least 1                                             */
    const struct user *user;
    struct text challenge;    /* the field line WWW-Authenticate, with its CRLF         */
    uint64_t check_bytes_max; /* the most memory that the check of a password needs     */
};

/* The name and the password of a request, and the users one of whom it must be. */
struct credentials {
    const struct users *users; /* NULL: no user is asked for, or was already found */
    struct text name, password;
};

/* What follows from a check of credentials. */
enum admission {
    ADMISSION_GRANTED,
    ADMISSION_DENIED,  /* there is no such user, or it is not the password                 */
    ADMISSION_LIMITED, /* the address of the client has too many checks under way          */
    ADMISSION_BUSY /* too many checks are under way in all, or memory ran out; later it may work */
};

#endif
