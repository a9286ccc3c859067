/*
 * Tests of src/net/address.c and listener.c: forms of addresses, and real sockets on loopback and
 * in a directory of their own.
 */
#define _GNU_SOURCE
#include "skip.h"
#include "zcserve/listener.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- addresses ------------------------------------------------------------------------------- */

static struct listen_address parsed(const char *text)
{
    struct listen_address address;
    char problem[160] = "";

    ck_assert_msg(listen_address_parse(text, &address, problem, sizeof(problem)) == 0, "'%s': %s",
                  text, problem);
    return address;
}

START_TEST(reads_every_form)
{
    static const struct {
        const char *text, *shown;
        int family;
    } cases[] = {
        {"8080", "*:8080", AF_INET6},
        {":8080", "*:8080", AF_INET6},
        {"*:8080", "*:8080", AF_INET6},
        {"0", "*:0", AF_INET6},
        {"127.0.0.1:8080", "127.0.0.1:8080", AF_INET},
        {"0.0.0.0:65535", "0.0.0.0:65535", AF_INET},
        {"localhost:80", "127.0.0.1:80", AF_INET},
        {"[::1]:8080", "[::1]:8080", AF_INET6},
        {"[::]:8080", "[::]:8080", AF_INET6},
        {"[2001:DB8:0::1]:443", "[2001:db8::1]:443", AF_INET6},
        {"unix:/run/a b.sock", "unix:/run/a b.sock", AF_UNIX},
        {"unix:here", "unix:here", AF_UNIX},
        {"unix:@name", "unix:@name", AF_UNIX},
        {"unix:@a b/c", "unix:@a b/c", AF_UNIX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char shown[LISTEN_ADDRESS_TEXT_MAX];
        struct listen_address address = parsed(cases[i].text);
        ck_assert_int_eq(address.address.ss_family, cases[i].family);
        ck_assert_int_eq(address.every, cases[i].shown[0] == '*');
        listen_address_format(&address, shown, sizeof(shown));
        ck_assert_str_eq(shown, cases[i].shown);
        struct listen_address again = parsed(shown); /* the text can be read again */
        ck_assert_int_eq(memcmp(&again, &address, sizeof(address)), 0);
    }
}
END_TEST

START_TEST(reads_the_word_proxy)
{
    static const char *const texts[] = {"8080", "127.0.0.1:0", "[::1]:80", "unix:/a", "unix:@a"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[64], shown[LISTEN_ADDRESS_TEXT_MAX], plain[LISTEN_ADDRESS_TEXT_MAX];
        struct listen_address without = parsed(texts[i]);
        snprintf(text, sizeof(text), "%s proxy", texts[i]);
        struct listen_address with = parsed(text);
        ck_assert(with.proxy && !without.proxy);
        ck_assert(listen_address_equals(&with, &without));
        listen_address_format(&with, shown, sizeof(shown));
        listen_address_format(&without, plain, sizeof(plain));
        ck_assert_str_eq(shown, plain);
    }
    ck_assert(!parsed("unix:/a proxy/b").proxy);
    ck_assert(!listen_address_is_file(&(struct listen_address){.address.ss_family = AF_INET}));
}
END_TEST

static void found_is(const char *local, int number)
{
    static const char *const texts[] = {"127.0.0.1:80", "*:80",    "0.0.0.0:81", "[::1]:80",
                                        "[::]:82",      "unix:/a", "unix:@a"};
    struct listen_address addresses[sizeof(texts) / sizeof(texts[0])], to = parsed(local);
    uint32_t count = sizeof(texts) / sizeof(texts[0]);
    for (uint32_t i = 0; i < count; i++)
        addresses[i] = parsed(texts[i]);
    const struct listen_address *found =
        listen_address_find(addresses, count, (const struct sockaddr *)&to.address, to.length);
    ck_assert_msg(found == (number < 0 ? NULL : &addresses[number]), "%s: %td", local,
                  found ? found - addresses : -1);
}

START_TEST(finds_the_address_of_a_connection)
{
    found_is("127.0.0.1:80", 0);
    found_is("[::ffff:192.0.2.1]:80", 1); /* IPv4 on a socket for both */
    found_is("[2001:db8::1]:80", 1);
    found_is("192.0.2.1:81", 2);
    found_is("[::1]:80", 3);
    found_is("[::1]:82", 4);
    found_is("unix:/a", 5);
    found_is("unix:@a", 6);
    found_is("127.0.0.2:80", -1);
    found_is("[::1]:81", -1);
    found_is("unix:/b", -1);
    found_is("unix:@ab", -1);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    char long_path[150] = "unix:/";
    memset(long_path + 6, 'p', 107);
    const char *const cases[][2] = {
        {"", "no port"},
        {"127.0.0.1", "no port"},
        {"127.0.0.1:", "no port"},
        {"65536", "no port"},
        {":-1", "no port"},
        {":80a", "no port"},
        {":000080", "no port"},
        {"example.org:80", "'example.org' is not an IP address"},
        {"127.1:80", "'127.1' is not an IP address"},
        {"::1:80", "'::1' is not an IP address"},
        {"[::1:80", "'[::1' is not an IP address"},
        {"[]:80", "'[]' is not an IP address"},
        {"[127.0.0.1]:80", "'[127.0.0.1]' is not an IP address"},
        {"unix:", "no path"},
        {"unix:@", "no path"},
        {"unix: proxy", "no path"},
        {" proxy", "no port"},
        {"80 proxy proxy", "no port"},
        {"80  proxy", "no port"},
        {"80 PROXY", "no port"},
        {long_path, "at most 107 bytes, this one 108"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct listen_address address;
        char problem[160] = "";
        ck_assert_int_eq(listen_address_parse(cases[i][0], &address, problem, sizeof(problem)), -1);
        ck_assert_msg(strstr(problem, cases[i][1]) != NULL, "'%s': %s", cases[i][0], problem);
        ck_assert_ptr_null(strchr(problem, '\n'));
    }
}
END_TEST

START_TEST(formats_into_any_size)
{
    char longest[150] = "unix:/";
    memset(longest + 6, 'p', 106);
    struct listen_address address = parsed(longest);
    char shown[LISTEN_ADDRESS_TEXT_MAX];
    char tiny[4];

    listen_address_format(&address, shown, sizeof(shown));
    ck_assert_str_eq(shown, longest);
    listen_address_format(&address, tiny, sizeof(tiny));
    ck_assert_str_eq(tiny, "uni");
}
END_TEST

/* ---- sockets --------------------------------------------------------------------------------- */

static int opened(struct listen_address *address, bool share)
{
    int fd = listener_open(address, share, 16);

    ck_assert_msg(fd >= 0, "%s", strerror(-fd));
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    return fd;
}

static uint16_t port_of(const struct listen_address *address)
{
    return ntohs(((const struct sockaddr_in *)&address->address)->sin_port);
}

/* Connects a client to the port over IPv4 or IPv6. Returns -1 with errno when this fails. */
static int connected(int family, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in6.sin6_addr = in6addr_loopback;
    int result = family == AF_INET ? connect(fd, (struct sockaddr *)&in, sizeof(in))
                                   : connect(fd, (struct sockaddr *)&in6, sizeof(in6));
    if (result < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);

    ck_assert_int_eq(getsockopt(fd, level, option, &value, &length), 0);
    return value;
}

START_TEST(accepts_over_ipv4)
{
    struct listen_address address = parsed("127.0.0.1:0");
    struct sockaddr_storage peer;
    int listener = opened(&address, false);

    ck_assert_uint_ne(port_of(&address), 0);
    ck_assert_int_eq(listener_accept(listener, true, &peer), -EAGAIN);

    int client = connected(AF_INET, port_of(&address));
    int fd = listener_accept(listener, true, &peer);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(peer.ss_family, AF_INET);
    ck_assert_uint_eq(((struct sockaddr_in *)&peer)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    close(client);
    close(fd);

    client = connected(AF_INET, port_of(&address));
    fd = listener_accept(listener, false, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    close(client);
    close(fd);
    listener_close(listener, &address, true);
}
END_TEST

START_TEST(hands_nodelay_down)
{
    struct listen_address address = parsed("127.0.0.1:0");
    int listener = opened(&address, false);
    int client = connected(AF_INET, port_of(&address));
    int fd = listener_accept(listener, true, NULL);

    ck_assert_int_eq(option_of(client, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    close(client);
    close(fd);
    listener_close(listener, &address, false);
}
END_TEST

START_TEST(listens_on_every_address)
{
    static const char no_ipv6[] = "there is no IPv6 here; the rest of it holds";
    struct listen_address address = parsed(":0");
    int listener = opened(&address, false);
    bool both = address.address.ss_family == AF_INET6; /* otherwise it is 0.0.0.0 */
    int families[] = {AF_INET, AF_INET6};

    for (int i = 0; i < (both ? 2 : 1); i++) {
        struct sockaddr_storage peer;
        int client = connected(families[i], port_of(&address));
        SKIP_IF(i == 1 && client < 0 && errno == EADDRNOTAVAIL, no_ipv6);
        ck_assert_msg(client >= 0, "%s", strerror(errno));
        int fd = listener_accept(listener, true, &peer);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(peer.ss_family, address.address.ss_family);
        close(client);
        close(fd);
    }
    listener_close(listener, &address, false);
    SKIP_IF(!both, no_ipv6);
}
END_TEST

START_TEST(leaves_ipv4_alone_when_told_an_ipv6_address)
{
    struct listen_address address = parsed("[::]:0");
    int listener = listener_open(&address, false, 16);

    SKIP_IF(listener == -EAFNOSUPPORT || listener == -EADDRNOTAVAIL, "there is no IPv6 here");
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(option_of(listener, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    ck_assert_int_eq(connected(AF_INET, port_of(&address)), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    listener_close(listener, &address, false);
}
END_TEST

/* Makes the kernel act for this process as if it had no IPv6. */
static void forbid_ipv6(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(falls_back_to_ipv4)
{
    struct listen_address every = parsed(":0");
    struct listen_address ipv6 = parsed("[::1]:0");
    char shown[LISTEN_ADDRESS_TEXT_MAX];
    char expected[LISTEN_ADDRESS_TEXT_MAX];

    forbid_ipv6();
    ck_assert_int_eq(listener_open(&ipv6, false, 16), -EAFNOSUPPORT);
    ck_assert_int_eq(listener_probe(&every), 0);
    int listener = opened(&every, false);
    ck_assert_int_eq(every.address.ss_family, AF_INET);
    listen_address_format(&every, shown, sizeof(shown));
    snprintf(expected, sizeof(expected), "*:%d", port_of(&every));
    ck_assert_str_eq(shown, expected);
    int client = connected(AF_INET, port_of(&every));
    ck_assert_int_ge(client, 0);
    close(client);
    listener_close(listener, &every, false);
}
END_TEST

START_TEST(shares_a_port_when_told)
{
    struct listen_address address = parsed("127.0.0.1:0");
    int first = opened(&address, true);
    int second = opened(&address, true);

    ck_assert_int_eq(listener_open(&address, false, 16), -EADDRINUSE);
    ck_assert_int_eq(listener_probe(&address), -EADDRINUSE); /* although it could be shared */
    close(first);
    close(second);
    ck_assert_int_eq(listener_probe(&address), 0);
    first = opened(&address, false);
    ck_assert_int_eq(listener_open(&address, true, 16), -EADDRINUSE);
    close(first);
}
END_TEST

START_TEST(opens_again_at_once_after_connections)
{
    struct listen_address address = parsed("127.0.0.1:0");
    int listener = opened(&address, false);
    int client = connected(AF_INET, port_of(&address));
    int fd = listener_accept(listener, true, NULL);

    close(fd); /* the server closes first, so its side stays in TIME_WAIT */
    close(client);
    close(listener);
    listener = opened(&address, false);
    close(listener);
}
END_TEST

START_TEST(tells_that_descriptors_ran_out)
{
    struct listen_address address = parsed("127.0.0.1:0");
    int listener = opened(&address, false);
    int client = connected(AF_INET, port_of(&address));
    struct rlimit limit, none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = listener_accept(listener, true, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(result, -EMFILE);
    result = listener_accept(listener, true, NULL); /* the connection is still queued */
    ck_assert_int_ge(result, 0);
    close(result);
    close(client);
    close(listener);
}
END_TEST

START_TEST(reports_addresses_that_are_not_here)
{
    struct listen_address address = parsed("192.0.2.1:0");
    ck_assert_int_eq(listener_open(&address, false, 16), -EADDRNOTAVAIL);
}
END_TEST

/* ---- Unix sockets ---------------------------------------------------------------------------- */

static char directory[] = "/tmp/zcserve-listener-XXXXXX";
static char path[64];

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/socket", directory);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(directory);
}

static struct listen_address unix_address(void)
{
    char text[80];

    snprintf(text, sizeof(text), "unix:%s", path);
    return parsed(text);
}

static int connected_unix(const struct listen_address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (const struct sockaddr *)&address->address, address->length) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

START_TEST(accepts_over_unix)
{
    struct listen_address address = unix_address();
    struct sockaddr_storage peer;
    int listener = opened(&address, true); /* sharing has no effect here */
    int client = connected_unix(&address);
    int fd = listener_accept(listener, true, &peer);

    ck_assert_int_ge(client, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert(peer.ss_family == AF_UNIX || peer.ss_family == AF_UNSPEC);
    close(client);
    close(fd);
    listener_close(listener, &address, false);
    ck_assert_int_eq(access(path, F_OK), 0);
    listener = opened(&address, false);
    listener_close(listener, &address, true);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(replaces_a_stale_file)
{
    struct listen_address address = unix_address();
    struct stat before, after;

    close(opened(&address, false));
    ck_assert_int_eq(stat(path, &before), 0);
    int listener = opened(&address, false);
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert(before.st_ino != after.st_ino || before.st_ctim.tv_nsec != after.st_ctim.tv_nsec);
    int client = connected_unix(&address);
    ck_assert_int_ge(client, 0);
    close(client);
    listener_close(listener, &address, true);
}
END_TEST

START_TEST(leaves_a_live_one_alone)
{
    struct listen_address address = unix_address();
    int listener = opened(&address, false);

    ck_assert_int_eq(listener_open(&address, false, 16), -EADDRINUSE);
    for (int i = 0; i < 100; i++) { /* also not when its queue is full */
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fd, (const struct sockaddr *)&address.address, address.length);
    }
    ck_assert_int_eq(listener_open(&address, false, 16), -EADDRINUSE);
    ck_assert_int_ge(listener_accept(listener, true, NULL), 0);
    listener_close(listener, &address, true);
}
END_TEST

START_TEST(leaves_other_files_alone)
{
    struct listen_address address = unix_address();
    int file = open(path, O_CREAT | O_WRONLY, 0600);

    ck_assert_int_eq(write(file, "dear", 4), 4);
    close(file);
    ck_assert_int_eq(listener_open(&address, false, 16), -EEXIST);
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listener");
    TCase *addresses = tcase_create("addresses");
    tcase_add_test(addresses, reads_every_form);
    tcase_add_test(addresses, reads_the_word_proxy);
    tcase_add_test(addresses, finds_the_address_of_a_connection);
    tcase_add_test(addresses, says_what_is_wrong);
    tcase_add_test(addresses, formats_into_any_size);
    suite_add_tcase(suite, addresses);
    TCase *sockets = tcase_create("sockets");
    tcase_add_test(sockets, accepts_over_ipv4);
    tcase_add_test(sockets, hands_nodelay_down);
    tcase_add_test(sockets, listens_on_every_address);
    tcase_add_test(sockets, leaves_ipv4_alone_when_told_an_ipv6_address);
    tcase_add_test(sockets, falls_back_to_ipv4);
    tcase_add_test(sockets, shares_a_port_when_told);
    tcase_add_test(sockets, opens_again_at_once_after_connections);
    tcase_add_test(sockets, tells_that_descriptors_ran_out);
    tcase_add_test(sockets, reports_addresses_that_are_not_here);
    suite_add_tcase(suite, sockets);
    TCase *unix_sockets = tcase_create("unix sockets");
    tcase_add_checked_fixture(unix_sockets, set_up, tear_down);
    tcase_add_test(unix_sockets, accepts_over_unix);
    tcase_add_test(unix_sockets, replaces_a_stale_file);
    tcase_add_test(unix_sockets, leaves_a_live_one_alone);
    tcase_add_test(unix_sockets, leaves_other_files_alone);
    suite_add_tcase(suite, unix_sockets);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
