/* Tests of src/doctor/sockets.c: who listens, as a made-up /proc tells. */
#include "doctor/sockets.h"

#include "made_up.h"

#include <check.h>
#include <stdlib.h>

#define HEAD                                                                                      \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout " \
    "inode\n"
#define REST " 00000000:00000000 00:00000000 00000000 "

/* As the kernel prints them on a machine whose words are little-endian; 1F90 is port 8080. */
static const char tcp[] = HEAD
    "   0: 0100007F:1F90 00000000:0000 0A" REST "   33        0 4711 1 0000000000000000 100 0\n"
    "   1: 00000000:0016 00000000:0000 0A" REST "    0        0 1208 1 0000000000000000 100 0\n"
    "   2: 0100007F:01BB 0100007F:C350 01" REST "    0        0 1209 1 0000000000000000 20 4\n";
static const char tcp6[] =
    HEAD "   0: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A" REST
         "    0        0 81 1 0000000000000000 100 0\n"
         "   1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A" REST
         "    0        0 82 1 0000000000000000 100 0\n";

static struct holder find(const char *text)
{
    struct listen_address address;
    struct holder holder;
    char problem[256];
    ck_assert_int_eq(listen_address_parse(text, &address, problem, sizeof(problem)), 0);
    holder_find(&holder, made_up_tree(), "/proc/self", &address);
    return holder;
}

static void set_up(void)
{
    made_up_open();
    made_up_file("/proc/self/net/tcp", tcp);
    made_up_file("/proc/self/net/tcp6", tcp6);
    made_up_file("/proc/812/comm", "nginx\n");
    made_up_link("/proc/812/fd/5", "socket:[4711]");
    made_up_link("/proc/812/fd/6", "/dev/null");
    made_up_file("/proc/813/comm", "sshd\n");
    made_up_file("/proc/813/fd/0", "");
}

START_TEST(exactly_there)
{
    struct holder holder = find("127.0.0.1:8080");
    ck_assert(holder.is_there);
    ck_assert_uint_eq(holder.user, 33);
    ck_assert_uint_eq(holder.inode, 4711);
    ck_assert_int_eq(holder.pid, 812);
    ck_assert_str_eq(holder.name, "nginx");
    ck_assert(find("[::1]:8081").is_there);
}
END_TEST

/* A socket for every address excludes each, and each excludes one for every address. */
START_TEST(every_address)
{
    ck_assert(find("0.0.0.0:8080").is_there);
    ck_assert(find("192.0.2.1:22").is_there);
    ck_assert(find("[2001:db8::1]:80").is_there);
    ck_assert(find("*:8080").is_there); /* one socket for IPv6 and IPv4 */
    ck_assert(find("*:80").is_there);
}
END_TEST

START_TEST(nobody_there)
{
    ck_assert(!find("127.0.0.2:8080").is_there);
    ck_assert(!find("127.0.0.1:8081").is_there);
    ck_assert(!find("[::1]:8080").is_there);
    ck_assert(!find("127.0.0.1:443").is_there); /* connected, and does not listen */
    ck_assert(!find("127.0.0.1:80").is_there);  /* of IPv6; perhaps of IPv6 alone */
    ck_assert(!find("0").is_there);
    ck_assert(!find("unix:/run/socket").is_there);
}
END_TEST

START_TEST(nobody_that_may_be_looked_at)
{
    struct holder holder = find("0.0.0.0:22");
    ck_assert(holder.is_there);
    ck_assert_uint_eq(holder.user, 0);
    ck_assert_int_eq(holder.pid, 0);
    ck_assert_str_eq(holder.name, "");
}
END_TEST

START_TEST(nonsense)
{
    made_up_file("/proc/self/net/tcp",
                 HEAD "\n   0: 0100007F:1F90\n xyz\n   0: 01:1F90 0 0A 0 0 0 0 0 "
                      "1\n   0: 0100007F0100007F:1F90 0 0A 0 0 0 0 0 1\n");
    ck_assert(!find("127.0.0.1:8080").is_there);
    made_up_run("rm proc/self/net/tcp");
    ck_assert(!find("127.0.0.1:8080").is_there);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sockets");
    TCase *tcase = tcase_create("sockets");
    tcase_add_checked_fixture(tcase, set_up, made_up_close);
    tcase_add_test(tcase, exactly_there);
    tcase_add_test(tcase, every_address);
    tcase_add_test(tcase, nobody_there);
    tcase_add_test(tcase, nobody_that_may_be_looked_at);
    tcase_add_test(tcase, nonsense);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
