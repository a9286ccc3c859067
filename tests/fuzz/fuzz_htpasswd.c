/*
 * Takes any bytes as a file of users. When it is accepted, each user is found by its name, and has a hash that
 * is accepted and within the limits; the users written again are the same users. When it is refused, the
 * reason is one line.
 */
#include "users/hash.h"
#include "zcserve/htpasswd.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void user_check(const struct users *users, const struct user *user)
{
    struct text hash = {user->hash, strlen(user->hash)};
    assert(user->name.length > 0 && user->name.length <= USER_NAME_MAX);
    assert(!memchr(user->name.base, ':', user->name.length));
    assert(users_find(users, user->name) == user);
    assert(!hash_fault(hash) && hash_bytes(hash) <= users->check_bytes_max);
}

/* Returns the users as a file. */
static char *written(const struct users *users, size_t *length)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, length);
    assert(file);
    for (uint32_t i = 0; i < users->count; i++) {
        fwrite(users->user[i].name.base, 1, users->user[i].name.length, file);
        fprintf(file, ":%s\n", users->user[i].hash);
    }
    fclose(file);
    return text;
}

static void again_check(const struct users *users)
{
    char problem[256];
    size_t length;
    char *text = written(users, &length);
    struct users *again =
        htpasswd_parse("f", (struct text){text, length}, 0, problem, sizeof(problem));
    assert(again && again->count == users->count);
    for (uint32_t i = 0; i < users->count; i++) {
        assert(text_equals(again->user[i].name, users->user[i].name));
        assert(strcmp(again->user[i].hash, users->user[i].hash) == 0);
    }
    users_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char problem[256] = "";
    struct users *users =
        htpasswd_parse("f", (struct text){(const char *)bytes, size}, 0, problem, sizeof(problem));
    if (users) {
        assert(users->count > 0 && users->count <= HTPASSWD_USERS_MAX);
        assert(users->check_bytes_max <= YESCRYPT_BYTES_MAX);
        for (uint32_t i = 0; i < users->count; i++)
            user_check(users, &users->user[i]);
        again_check(users);
    } else {
        assert(strncmp(problem, "f:", 2) == 0 && !strchr(problem, '\n'));
    }
    users_free(users);
    return 0;
}
