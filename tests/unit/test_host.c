/*
 * Tests of src/status/host.c: which values of Host name this server.
 */
#include "status/host.h"

#include <check.h>
#include <string.h>

static const char *const none[] = {NULL};
static const char *const some[] = {"monitor.example", "Proxy", NULL};
static const char *const any[] = {"x", "*", NULL};

START_TEST(addresses_and_localhost)
{
    static const char *const known[] = {
        "127.0.0.1",   "127.0.0.1:8081", "127.0.0.1:",      "10.255.0.1",    "localhost",
        "LOCALHOST",   "localhost:1",    "localhost.",      "localhost.:80", "[::1]",
        "[::1]:65535", "[2001:db8::A]",  "[::ffff:1.2.3.4]"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        ck_assert_msg(host_is_known(known[i], none), "%s", known[i]);
        ck_assert_msg(host_is_known(known[i], some), "%s", known[i]);
    }
}
END_TEST

START_TEST(all_else_is_foreign)
{
    static const char *const foreign[] = {"",
                                          ".",
                                          ":",
                                          ":80",
                                          "evil",
                                          "localhost..",
                                          ".localhost",
                                          "localhost.evil",
                                          "xlocalhost",
                                          "127.1",
                                          "127.0.0.01x",
                                          "0x7f.0.0.1",
                                          "2130706433",
                                          "127.0.0.1.",
                                          "1.2.3.4.5",
                                          "256.0.0.1",
                                          "[",
                                          "[]",
                                          "[::1",
                                          "::1",
                                          "[::1]x",
                                          "[::1]:x",
                                          "[127.0.0.1]",
                                          "[fe80::1%lo]",
                                          "127.0.0.1:8x",
                                          "127.0.0.1:80:80",
                                          "localhost:-1",
                                          "localhost :80",
                                          " localhost",
                                          "a@localhost",
                                          "localhost/",
                                          "*",
                                          "monitor.example",
                                          "proxy"};
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        ck_assert_msg(!host_is_known(foreign[i], none), "%s", foreign[i]);
}
END_TEST

START_TEST(names)
{
    ck_assert(host_is_known("monitor.example", some));
    ck_assert(host_is_known("Monitor.EXAMPLE.:9", some));
    ck_assert(host_is_known("proxy", some));
    ck_assert(!host_is_known("example", some));
    ck_assert(!host_is_known("x.monitor.example", some));
    ck_assert(!host_is_known("monitor.example.evil", some));
    ck_assert(!host_is_known("*", some));
    ck_assert(host_is_known("whatever", any));
    ck_assert(host_is_known("", any));
}
END_TEST

START_TEST(long_ones)
{
    char text[2000];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    ck_assert(!host_is_known(text, some));
    text[0] = '[';
    text[sizeof(text) - 2] = ']';
    ck_assert(!host_is_known(text, some));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *cases = tcase_create("host");
    tcase_add_test(cases, addresses_and_localhost);
    tcase_add_test(cases, all_else_is_foreign);
    tcase_add_test(cases, names);
    tcase_add_test(cases, long_ones);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
