/*
 * Files of users: who is in them, and the exact words for what is wrong. No message shows a hash.
 */
#include "zcserve/htpasswd.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define BCRYPT "$2y$05$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEwBK"
#define SHA256 "$5$rounds=1000000$salt$mwnPZaKCrHIvFjikKqn1QT7fjeT9NCKyIbVNXmX6m84"
#define SHA512_86 \
    "g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1"
#define SHA512 "$6$saltsalt$" SHA512_86
#define YESCRYPT_73(parameters) \
    "$y$" parameters "$hmpuQRYuWF/X6mY2e7Zx7/$shiqEQX8dEUVXrfrXuvU6Ol9yKZf2vkDfVw/0BHR608"
#define YESCRYPT YESCRYPT_73("j9T")
#define USE "; use bcrypt (htpasswd -B), or yescrypt or sha512crypt (mkpasswd -m)"

static char problem[256];

static struct users *parsed(struct text text)
{
    problem[0] = '\0';
    return htpasswd_parse("f", text, 0, problem, sizeof(problem));
}

START_TEST(users_are_found)
{
    static const char text[] = "# people\n\nb:" BCRYPT "\r\na:" SHA256 "\n#b:x\n"
                               "J\xc3\xb6rg the first:" SHA512 "\ny:" YESCRYPT;
    static const struct {
        struct text name;
        const char *hash;
    } all[] = {
        {{"a", 1}, SHA256},
        {{"b", 1}, BCRYPT},
        {{"J\xc3\xb6rg the first", 15}, SHA512},
        {{"y", 1}, YESCRYPT},
    };
    struct users *users = parsed(TEXT(text));
    ck_assert_msg(users != NULL, "%s", problem);
    ck_assert_uint_eq(users->count, COUNT(all));
    ck_assert_uint_eq(users->check_bytes_max, 16 << 20);
    for (int i = 0; i < COUNT(all); i++) {
        const struct user *user = users_find(users, all[i].name);
        ck_assert_ptr_nonnull(user);
        ck_assert_str_eq(user->hash, all[i].hash);
    }
    ck_assert_ptr_null(users_find(users, TEXT("c")));
    ck_assert_ptr_null(users_find(users, TEXT("")));
    ck_assert_ptr_null(users_find(users, TEXT("#b")));
    users_free(users);
}
END_TEST

/* RFC 7617 §2.1; §2.2: a realm is a protection space, so each file has its own. */
START_TEST(challenges)
{
    struct users *users = parsed(TEXT("a:" BCRYPT));
    ck_assert(
        text_equals(users->challenge,
                    TEXT("WWW-Authenticate: Basic realm=\"zcserve\", charset=\"UTF-8\"\r\n")));
    users_free(users);
    users = htpasswd_parse("f", TEXT("a:" BCRYPT), 1, problem, sizeof(problem));
    ck_assert(
        text_equals(users->challenge,
                    TEXT("WWW-Authenticate: Basic realm=\"zcserve 2\", charset=\"UTF-8\"\r\n")));
    users_free(users);
}
END_TEST

static const struct {
    const char *text, *problem;
} faults[] = {
    {"", "f:1: there is no user; to refuse all requests, write deny = all"},
    {"# nobody\n\n", "f:3: there is no user; to refuse all requests, write deny = all"},
    {"a", "f:1: write name:hash, as htpasswd does"},
    {"a:" BCRYPT "\n:" BCRYPT, "f:2: there is no name before the ':'"},
    {"a\tb:" BCRYPT, "f:1: the name has a control character, which no client can send"},
    {"a:" BCRYPT "\nb:" SHA512 "\n\na:" SHA512,
     "f:4: the user is in line 1 already; remove one of them"},
    {"a:", "f:1: there is no hash of a password" USE},
    {"a:secret", "f:1: this is a plain password or a DES-crypt hash, which is too weak" USE},
    {"a:rqXexS6ZhobKA", "f:1: this is a plain password or a DES-crypt hash, which is too weak" USE},
    {"a:$apr1$x$y", "f:1: MD5 (apr1) is too weak" USE},
    {"a:$1$x$y", "f:1: MD5-crypt is too weak" USE},
    {"a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "f:1: SHA-1 without a salt is too weak" USE},
    {"a:$2x$05$8kWzaqeS2i6CXkk.ITGyOO", "f:1: $2x$ is a bcrypt with a fault" USE},
    {"a:$argon2id$v=19$x", "f:1: this kind of hash is not known" USE},
    {"a:!", "f:1: the user is locked; remove the line"},
    {"a:*", "f:1: the user is locked; remove the line"},
    {"a:" BCRYPT "x", "f:1: the bcrypt hash is not whole; make it anew with htpasswd -B"},
    {"a:$2y$", "f:1: the bcrypt hash is not whole; make it anew with htpasswd -B"},
    {"a:$2y$05$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEw K",
     "f:1: the bcrypt hash is not whole; make it anew with htpasswd -B"},
    {"a:$2y$15$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEwBK",
     "f:1: the cost of the bcrypt hash must be 4 to 14; make it anew with htpasswd -B -C 10"},
    {"a:$2y$03$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEwBK",
     "f:1: the cost of the bcrypt hash must be 4 to 14; make it anew with htpasswd -B -C 10"},
    {"a:$6$rounds=1000001$s$" SHA512_86,
     "f:1: the rounds of the SHA-crypt hash must be 1000 to 1000000; make it anew with mkpasswd -m "
     "sha512crypt"},
    {"a:$6$rounds=99999999999999999999$s$" SHA512_86,
     "f:1: the rounds of the SHA-crypt hash must be 1000 to 1000000; make it anew with mkpasswd -m "
     "sha512crypt"},
    {"a:$6$rounds=999$s$" SHA512_86,
     "f:1: the rounds of the SHA-crypt hash must be 1000 to 1000000; make it anew with mkpasswd -m "
     "sha512crypt"},
    {"a:$6$rounds=01000$s$" SHA512_86,
     "f:1: the rounds of the SHA-crypt hash must be 1000 to 1000000; make it anew with mkpasswd -m "
     "sha512crypt"},
    {"a:$6$12345678901234567$" SHA512_86,
     "f:1: the SHA-crypt hash is not whole; make it anew with mkpasswd -m sha512crypt"},
    {"a:$5$s$" SHA512_86,
     "f:1: the SHA-crypt hash is not whole; make it anew with mkpasswd -m sha512crypt"},
    {"a:$6$", "f:1: the SHA-crypt hash is not whole; make it anew with mkpasswd -m sha512crypt"},
    {"a:" YESCRYPT_73("jCT"),
     "f:1: the yescrypt hash needs more than 64 MiB, or has unusual parameters; make it anew with "
     "mkpasswd -m yescrypt"},
    {"a:" YESCRYPT_73("k9T"),
     "f:1: the yescrypt hash needs more than 64 MiB, or has unusual parameters; make it anew with "
     "mkpasswd -m yescrypt"},
    {"a:$y$j9T$", "f:1: the yescrypt hash is not whole; make it anew with mkpasswd -m yescrypt"},
    {"a:" YESCRYPT "x",
     "f:1: the yescrypt hash is not whole; make it anew with mkpasswd -m yescrypt"},
};

START_TEST(fault_is_told)
{
    ck_assert_ptr_null(parsed((struct text){faults[_i].text, strlen(faults[_i].text)}));
    ck_assert_str_eq(problem, faults[_i].problem);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static char *large;

static struct users *parsed_large(size_t length)
{
    struct users *users = parsed((struct text){large, length});
    free(large);
    return users;
}

static size_t large_add(size_t at, size_t name_length, unsigned number)
{
    return at + (size_t)sprintf(large + at, "%0*u:%s\n", (int)name_length, number, BCRYPT);
}

START_TEST(limit_of_names)
{
    for (size_t length = USER_NAME_MAX; length <= USER_NAME_MAX + 1; length++) {
        large = malloc(1024);
        struct users *users = parsed_large(large_add(0, length, 0));
        ck_assert_int_eq(users != NULL, length == USER_NAME_MAX);
        if (!users) ck_assert_str_eq(problem, "f:1: the name is longer than 255 bytes");
        users_free(users);
    }
}
END_TEST

START_TEST(limit_of_lines)
{
    large = malloc(2048);
    memset(large, 'a', 2048);
    ck_assert_ptr_null(parsed_large(HTPASSWD_LINE_MAX + 1));
    ck_assert_str_eq(problem, "f:1: the line is longer than 1023 bytes");
}
END_TEST

START_TEST(limit_of_users)
{
    for (unsigned count = HTPASSWD_USERS_MAX; count <= HTPASSWD_USERS_MAX + 1; count++) {
        size_t length = 0;
        large = malloc(80 * (HTPASSWD_USERS_MAX + 1));
        for (unsigned i = 0; i < count; i++)
            length = large_add(length, 5, i);
        struct users *users = parsed_large(length);
        ck_assert_int_eq(users != NULL, count == HTPASSWD_USERS_MAX);
        if (!users) ck_assert_str_eq(problem, "f:16385: there are more than 16384 users");
        users_free(users);
    }
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------- */

START_TEST(files)
{
    char name[] = "/tmp/zcserve-htpasswd-XXXXXX", expected[128];
    bool open = false;
    int fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "a:" BCRYPT "\n", 63), 63);
    ck_assert_int_eq(fchmod(fd, 0640), 0);
    struct users *users = htpasswd_load(name, 0, &open, problem, sizeof(problem));
    ck_assert(users && !open);
    users_free(users);
    fchmod(fd, 0644);
    users = htpasswd_load(name, 0, &open, problem, sizeof(problem));
    ck_assert(users && open);
    users_free(users);
    ck_assert_int_eq(ftruncate(fd, HTPASSWD_BYTES_MAX + 1), 0);
    ck_assert_ptr_null(htpasswd_load(name, 0, &open, problem, sizeof(problem)));
    snprintf(expected, sizeof(expected), "%s: it has more than 4 MiB", name);
    ck_assert_str_eq(problem, expected);
    close(fd);
    unlink(name);
    ck_assert_ptr_null(htpasswd_load(name, 0, &open, problem, sizeof(problem)));
    snprintf(expected, sizeof(expected), "%s: No such file or directory", name);
    ck_assert_str_eq(problem, expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("htpasswd");
    TCase *tcase = tcase_create("htpasswd");
    tcase_add_test(tcase, users_are_found);
    tcase_add_test(tcase, challenges);
    tcase_add_loop_test(tcase, fault_is_told, 0, COUNT(faults));
    tcase_add_test(tcase, limit_of_names);
    tcase_add_test(tcase, limit_of_lines);
    tcase_add_test(tcase, limit_of_users);
    tcase_add_test(tcase, files);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
