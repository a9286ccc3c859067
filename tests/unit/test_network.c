/*
 * Tests of src/base/network.c: what is an address or a network, and which addresses belong to it.
 */
#include "zcserve/network.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>

static struct text text_of(const char *text)
{
    return (struct text){text, strlen(text)};
}

static const struct {
    const char *network, *inside, *outside;
} members[] = {
    {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
    {"192.0.2.1", "::ffff:192.0.2.1", "::192.0.2.1"},
    {"127.0.0.0/8", "127.255.255.255", "128.0.0.0"},
    {"192.0.2.128/25", "192.0.2.129", "192.0.2.127"},
    {"0.0.0.0/0", "255.255.255.255", "2001:db8::1"},
    {"192.0.2.4/32", "192.0.2.4", "192.0.2.5"},
    {"::1", "::1", "::2"},
    {"::/0", "2001:db8::1", NULL},
    {"::/0", "127.0.0.1", NULL},
    {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
    {"::ffff:0:0/96", "192.0.2.1", "::fffe:0:1"},
};

START_TEST(members_are_found)
{
    struct networks networks = {.count = 0};
    struct ip ip;
    ck_assert(networks_add(&networks, text_of(members[_i].network)));
    ck_assert_uint_eq(networks.count, 1);
    ck_assert(!networks.local);
    ck_assert(ip_read(text_of(members[_i].inside), &ip));
    ck_assert(networks_have(&networks, &ip));
    if (!members[_i].outside) return;
    ck_assert(ip_read(text_of(members[_i].outside), &ip));
    ck_assert(!networks_have(&networks, &ip));
}
END_TEST

START_TEST(what_is_none)
{
    static const char *const none[] = {"",
                                       "/",
                                       "/8",
                                       "10.0.0.0/",
                                       "10.0.0.0/33",
                                       "10.0.0.0/-1",
                                       "10.0.0.0/8x",
                                       "10.0.0.1/8",
                                       "10.0.0/8",
                                       "::/129",
                                       "::1/127",
                                       "2001:db8::/0008",
                                       "localhost",
                                       "[::1]",
                                       "::1%lo",
                                       "unix:",
                                       "10.0.0.0/8/8",
                                       "192.0.2.1:80",
                                       "192.0.2.129/25",
                                       "10.0.0.0/ 8",
                                       " ::1",
                                       "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct networks networks = {.count = 0};
        ck_assert_msg(!networks_add(&networks, text_of(none[i])), "'%s'", none[i]);
        ck_assert_uint_eq(networks.count, 0);
    }
    struct ip ip;
    ck_assert(!ip_read((struct text){"::1\0x", 5}, &ip));
}
END_TEST

START_TEST(a_list_has_several)
{
    struct networks networks = {.count = 0};
    struct ip ip;
    ck_assert(networks_add(&networks, TEXT("unix")));
    ck_assert(networks.local);
    for (int i = 0; i < NETWORKS_MAX; i++)
        ck_assert(
            networks_add(&networks, i == NETWORKS_MAX - 1 ? TEXT("::1") : TEXT("10.0.0.0/8")));
    ck_assert(!networks_add(&networks, TEXT("10.0.0.0/8")));
    ck_assert(ip_read(TEXT("::1"), &ip));
    ck_assert(networks_have(&networks, &ip));
    networks.count = 0;
    ck_assert(!networks_have(&networks, &ip));
}
END_TEST

START_TEST(addresses_of_sockets)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};
    struct ip ip, expected;
    ck_assert(ip_of((struct sockaddr *)&in, &ip) && ip_read(TEXT("192.0.2.1"), &expected));
    ck_assert_mem_eq(&ip, &expected, sizeof(ip));
    ck_assert(ip_of((struct sockaddr *)&in6, &ip) && ip_read(TEXT("::1"), &expected));
    ck_assert_mem_eq(&ip, &expected, sizeof(ip));
    ck_assert(!ip_of(&other, &ip));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *cases = tcase_create("network");
    tcase_add_loop_test(cases, members_are_found, 0, sizeof(members) / sizeof(members[0]));
    tcase_add_test(cases, what_is_none);
    tcase_add_test(cases, a_list_has_several);
    tcase_add_test(cases, addresses_of_sockets);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
