/*
 * The guard: what it remembers and for how long, that pairs of different files are different, and how many
 * checks it allows. Real hashes are checked, of each kind.
 */
#include "users/siphash.h"
#include "zcserve/guard.h"
#include "zcserve/htpasswd.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const char *const lines =
    "alice:$2y$05$8kWzaqeS2i6CXkk.ITGyOOgawFhR3uQbuxvMiJm016qSvCHudEwBK\n"
    "carl:$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AG"
    "HmF9iek6Sf1\n"
    "yes:$y$j9T$hmpuQRYuWF/X6mY2e7Zx7/$shiqEQX8dEUVXrfrXuvU6Ol9yKZf2vkDfVw/0BHR608\n"
    "tom:$5$rounds=1000$salt$/TvH51VeQbqhePb1wiWmvalyI0nC4hSWkOjNNVwC/74\n";

static const struct origin here = {.ip = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}}};

static struct users *users, *others;
static struct guard_memory *memory;
static struct guard *guard;

static struct origin from(unsigned number)
{
    struct origin origin = here;
    origin.ip.byte[14] = (uint8_t)number;
    return origin;
}

static struct credentials pair(const struct users *of, const char *name, const char *password)
{
    return (struct credentials){of, {name, strlen(name)}, {password, strlen(password)}};
}

static enum guarded asked(const struct credentials *c, const struct origin *origin)
{
    return guard_ask(guard, c, origin, now_monotonic_ns());
}

static void set_up(void)
{
    char problem[256];
    struct text text = {lines, strlen(lines)};
    ck_assert_msg(guard_load(problem, sizeof(problem)), "%s", problem);
    users = htpasswd_parse("f", text, 0, problem, sizeof(problem));
    others = htpasswd_parse("g", text, 1, problem, sizeof(problem));
    ck_assert(users && others);
    memory = guard_memory_open();
    guard = guard_open(memory);
    ck_assert(memory && guard);
}

static void tear_down(void)
{
    guard_close(guard);
    guard_memory_close(memory);
    users_free(users);
    users_free(others);
}

static void check_now(const struct credentials *c)
{
    struct check *check = check_new(guard, c, &here);
    ck_assert_ptr_nonnull(check);
    check_run(check);
    check_end(check);
    check_free(check);
}

static void checked_is(const struct credentials *c, enum guarded expected)
{
    ck_assert_int_eq(asked(c, &here), GUARD_UNKNOWN);
    check_now(c);
    ck_assert_int_eq(asked(c, &here), expected);
}

static const struct {
    const char *name, *password;
    enum guarded expected;
} pairs[] = {
    {"alice", "wonder", GUARD_GRANTED},
    {"carl", "sesame", GUARD_GRANTED},
    {"yes", "script", GUARD_GRANTED},
    {"tom", "sawyer", GUARD_GRANTED},
    {"alice", "sesame", GUARD_DENIED},
    {"alice", "wonde", GUARD_DENIED},
    {"alice", "", GUARD_DENIED},
    {"carl", "wonder", GUARD_DENIED},
    {"yes", "scripT", GUARD_DENIED},
    {"nobody", "wonder", GUARD_DENIED},
    {"nobody", "sesame", GUARD_DENIED},
    {"nobody", "script", GUARD_DENIED},
    {"", "", GUARD_DENIED},
    {"alicew", "onder", GUARD_DENIED},
};

START_TEST(each_kind)
{
    struct credentials c = pair(users, pairs[_i].name, pairs[_i].password);
    checked_is(&c, pairs[_i].expected);
    ck_assert_uint_eq(guard_checks_take(guard), 1);
    ck_assert_uint_eq(guard_checks_take(guard), 0);
}
END_TEST

START_TEST(remembered_for_a_time)
{
    struct credentials right = pair(users, "alice", "wonder"), wrong = pair(users, "alice", "x");
    uint64_t before = now_monotonic_ns();
    checked_is(&right, GUARD_GRANTED);
    checked_is(&wrong, GUARD_DENIED);
    uint64_t after = now_monotonic_ns();
    ck_assert_int_eq(guard_ask(guard, &right, &here, before + GUARD_RIGHT_NS - 1), GUARD_GRANTED);
    ck_assert_int_eq(guard_ask(guard, &right, &here, after + GUARD_RIGHT_NS), GUARD_UNKNOWN);
    ck_assert_int_eq(guard_ask(guard, &wrong, &here, before + GUARD_WRONG_NS - 1), GUARD_DENIED);
    ck_assert_int_eq(guard_ask(guard, &wrong, &here, after + GUARD_WRONG_NS), GUARD_UNKNOWN);
}
END_TEST

/* A pair of one file is not one of another file, even with the same line in it. */
START_TEST(files_are_apart)
{
    struct credentials one = pair(users, "alice", "wonder"),
                       other = pair(others, "alice", "wonder");
    checked_is(&one, GUARD_GRANTED);
    ck_assert_int_eq(asked(&other, &here), GUARD_UNKNOWN);
}
END_TEST

/* What one worker checked, all know; another configuration has another memory. */
START_TEST(workers_share)
{
    struct credentials c = pair(users, "alice", "wonder");
    struct guard_memory *others_memory = guard_memory_open();
    struct guard *second = guard_open(memory), *other = guard_open(others_memory);
    checked_is(&c, GUARD_GRANTED);
    ck_assert_int_eq(guard_ask(second, &c, &here, now_monotonic_ns()), GUARD_GRANTED);
    ck_assert_int_eq(guard_ask(other, &c, &here, now_monotonic_ns()), GUARD_UNKNOWN);
    guard_close(second);
    guard_close(other);
    guard_memory_close(others_memory);
}
END_TEST

/* Nothing is remembered of a check that was not run. */
START_TEST(check_that_was_not_run)
{
    struct credentials c = pair(users, "alice", "wonder");
    struct check *check = check_new(guard, &c, &here);
    check_end(check);
    check_free(check);
    ck_assert_int_eq(asked(&c, &here), GUARD_UNKNOWN);
    ck_assert_uint_eq(guard_checks_take(guard), 0);
}
END_TEST

/* A hash that the library does not take, though it looks well: nobody is let in, and it is tried again soon. */
START_TEST(check_that_fails)
{
    static const struct user user = {{"u", 1}, "*0"};
    static const struct users broken = {.number = 2, .count = 1, .user = &user};
    struct credentials c = pair(&broken, "u", "*0");
    uint64_t before = now_monotonic_ns();
    checked_is(&c, GUARD_FAILED);
    ck_assert_int_eq(guard_ask(guard, &c, &here, before + GUARD_FAILED_NS + NS_PER_SECOND),
                     GUARD_UNKNOWN);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static struct check *begun[GUARD_CHECKS_MAX + 1];

static void all_end(int count)
{
    for (int i = 0; i < count; i++) {
        check_end(begun[i]);
        check_free(begun[i]);
    }
}

START_TEST(checks_of_an_address)
{
    static const char *const passwords[] = {"1", "2", "3"};
    struct credentials c;
    struct origin other = from(1);
    for (int i = 0; i < GUARD_CHECKS_OF_ADDRESS; i++) {
        c = pair(users, "alice", passwords[i]);
        ck_assert_int_eq(asked(&c, &here), GUARD_UNKNOWN);
        begun[i] = check_new(guard, &c, &here);
    }
    ck_assert_int_eq(asked(&c, &here),
                     GUARD_UNKNOWN); /* one more of the same pair is no other check */
    c = pair(users, "alice", "3");
    ck_assert_int_eq(asked(&c, &here), GUARD_LIMITED);
    ck_assert_int_eq(asked(&c, &other), GUARD_UNKNOWN);
    all_end(GUARD_CHECKS_OF_ADDRESS);
    ck_assert_int_eq(asked(&c, &here), GUARD_UNKNOWN);
}
END_TEST

/* Of IPv6, the first 64 bits are an address; all local peers are one. */
START_TEST(addresses_of_ipv6)
{
    struct origin one = {.ip = {{0x20, 0x01, 0x0d, 0xb8}}}, same = one, other = one;
    struct origin local = {.local = true}, local_too = {.local = true, .ip = other.ip};
    struct credentials c = pair(users, "alice", "3");
    same.ip.byte[15] = 1;
    other.ip.byte[7] = 1;
    for (int i = 0; i < 4; i++) {
        char password[2] = {(char)('a' + i), '\0'};
        c = pair(users, "alice", password);
        begun[i] = check_new(guard, &c, i < 2 ? &one : &local);
    }
    c = pair(users, "alice", "3");
    ck_assert_int_eq(asked(&c, &same), GUARD_LIMITED);
    ck_assert_int_eq(asked(&c, &other), GUARD_UNKNOWN);
    ck_assert_int_eq(asked(&c, &local_too), GUARD_LIMITED);
    all_end(4);
}
END_TEST

START_TEST(checks_in_all)
{
    struct credentials c;
    struct origin other = from(200);
    for (int i = 0; i < GUARD_CHECKS_MAX; i++) {
        struct origin origin = from((unsigned)i);
        char password[16];
        snprintf(password, sizeof(password), "%d", i);
        c = pair(users, "alice", password);
        ck_assert_int_eq(asked(&c, &origin), GUARD_UNKNOWN);
        begun[i] = check_new(guard, &c, &origin);
    }
    c = pair(users, "alice", "x");
    ck_assert_int_eq(asked(&c, &other), GUARD_FULL);
    c = pair(users, "alice", "0");
    begun[GUARD_CHECKS_MAX] = check_new(guard, &c, &other); /* waits for the first one */
    ck_assert(text_equals(check_key(begun[GUARD_CHECKS_MAX]), check_key(begun[0])));
    all_end(GUARD_CHECKS_MAX + 1);
}
END_TEST

/* However many wrong passwords come, right ones are not forgotten for them. */
START_TEST(wrong_ones_push_out_no_right_one)
{
    static const struct user user = {{"u", 1}, "*0"};
    static const struct users broken = {.number = 2, .count = 1, .user = &user};
    struct credentials right = pair(users, "alice", "wonder");
    checked_is(&right, GUARD_GRANTED);
    for (int i = 0; i < 5000; i++) {
        char password[16];
        snprintf(password, sizeof(password), "%d", i);
        struct credentials wrong = pair(&broken, "u", password);
        check_now(&wrong);
    }
    ck_assert_int_eq(asked(&right, &here), GUARD_GRANTED);
}
END_TEST

/* ---- the keyed hash -------------------------------------------------------------------------- */

/* As OpenSSL's SipHash computes it, with a size of 16 and the bytes 0, 1, 2, … */
START_TEST(siphash_is_right)
{
    static const struct {
        size_t length;
        uint8_t hash[16];
    } known[] = {
        {0,
         {0xA3, 0x81, 0x7F, 0x04, 0xBA, 0x25, 0xA8, 0xE6, 0x6D, 0xF6, 0x72, 0x14, 0xC7, 0x55, 0x02,
          0x93}},
        {1,
         {0xDA, 0x87, 0xC1, 0xD8, 0x6B, 0x99, 0xAF, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9B, 0x22, 0xFC,
          0x45}},
        {8,
         {0x3B, 0x62, 0xA9, 0xBA, 0x62, 0x58, 0xF5, 0x61, 0x0F, 0x83, 0xE2, 0x64, 0xF3, 0x14, 0x97,
          0xB4}},
        {15,
         {0x54, 0x93, 0xE9, 0x99, 0x33, 0xB0, 0xA8, 0x11, 0x7E, 0x08, 0xEC, 0x0F, 0x97, 0xCF, 0xC3,
          0xD9}},
        {63,
         {0x51, 0x50, 0xD1, 0x77, 0x2F, 0x50, 0x83, 0x4A, 0x50, 0x3E, 0x06, 0x9A, 0x97, 0x3F, 0xBD,
          0x7C}},
    };
    uint8_t bytes[64];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    for (int i = 0; i < COUNT(known); i++) {
        struct siphash_key key;
        uint64_t hash[2];
        memcpy(&key, bytes, sizeof(key));
        siphash(&key, bytes, known[i].length, hash);
        ck_assert_mem_eq(hash, known[i].hash, sizeof(hash));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guard");
    TCase *tcase = tcase_create("guard"), *pure = tcase_create("siphash");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, each_kind, 0, COUNT(pairs));
    tcase_add_test(tcase, remembered_for_a_time);
    tcase_add_test(tcase, files_are_apart);
    tcase_add_test(tcase, workers_share);
    tcase_add_test(tcase, check_that_was_not_run);
    tcase_add_test(tcase, check_that_fails);
    tcase_add_test(tcase, checks_of_an_address);
    tcase_add_test(tcase, addresses_of_ipv6);
    tcase_add_test(tcase, checks_in_all);
    tcase_add_test(tcase, wrong_ones_push_out_no_right_one);
    tcase_add_test(pure, siphash_is_right);
    suite_add_tcase(suite, tcase);
    suite_add_tcase(suite, pure);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
