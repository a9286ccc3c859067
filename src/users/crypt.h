/*
 * The library that checks passwords, crypt(3) of libxcrypt. It is loaded only when a rule has users.
 */
#ifndef ZCSERVE_USERS_CRYPT_H
#define ZCSERVE_USERS_CRYPT_H

#include "zcserve/users.h"

enum match { MATCH_RIGHT, MATCH_WRONG, MATCH_FAILED };

/*
 * Returns whether the hash is that of the password, both ending with a NUL; FAILED when there is no memory for
 * the check, or the library does not know the hash. Takes as long as the hash says, and needs its memory.
 */
enum match crypt_match(const char *password, const char *hash);

#endif
