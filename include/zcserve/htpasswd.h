/*
 * Files of users, in the format of Apache's htpasswd: a line "name:hash" for each user. Empty lines
 * and lines that begin with "#" are left out.
 */
#ifndef ZCSERVE_HTPASSWD_H
#define ZCSERVE_HTPASSWD_H

#include "zcserve/users.h"

#include <stddef.h>

#define HTPASSWD_USERS_MAX 16384
#define HTPASSWD_LINE_MAX 1023     /* bytes, without its newline */
#define HTPASSWD_BYTES_MAX 4194304 /* of the file                */

/*
 * Reads the users of a text. Returns NULL with a line in `problem` (of `size` bytes, without a newline)
 * that says where in `file` what is wrong, and how to make it right. It never has a hash in it.
 * `number` is that of struct users. The text may go away afterwards.
 */
struct users *htpasswd_parse(const char *file, struct text text, uint32_t number, char *problem,
                             size_t size);

/*
 * Reads the users of a file, likewise. Sets *open to whether every user of this machine may read it,
 * although passwords can be guessed from their hashes.
 */
struct users *htpasswd_load(const char *file, uint32_t number, bool *open, char *problem,
                            size_t size);

void users_free(struct users *users); /* NULL is allowed */

/* Returns the user with this name, or NULL. */
const struct user *users_find(const struct users *users, struct text name);

#endif
