/*
 * The library writes its state to memory of the caller, about 32 KiB, so that several threads can check.
 * This is wiped: the library keeps copies of the password there.
 */
#include "users/crypt.h"
#include "base/symbol.h"
#include "zcserve/guard.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>

static __typeof__(crypt_rn) *crypt_call;

bool guard_load(char *problem, size_t size)
{
    if (crypt_call) return true;
    void *library = dlopen("libcrypt.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library && symbol_find(library, "crypt_rn", &crypt_call)) return true;
    snprintf(problem, size,
             "users need crypt_rn of libcrypt.so.1 (Debian: libcrypt1); install it: %s", dlerror());
    return false;
}

/* Takes the same time wherever the first difference is. */
static bool is_same(const char *a, const char *b)
{
    size_t length = strlen(a);
    unsigned difference = 0;
    if (strlen(b) != length) return false;
    for (size_t i = 0; i < length; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

enum match crypt_match(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof(*data));
    if (!data) return MATCH_FAILED;
    const char *made = crypt_call(password, hash, data, (int)sizeof(*data));
    enum match match = !made ? MATCH_FAILED : is_same(made, hash) ? MATCH_RIGHT : MATCH_WRONG;
    explicit_bzero(data, sizeof(*data));
    free(data);
    return match;
}
