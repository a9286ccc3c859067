/*
 * Tests of src/net/proxy.c: headers of both versions at every split, and bytes that are none.
 */
#include "zcserve/proxy.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define PORTS "\x30\x39\x01\xbb" /* 12345 and 443 */
#define IPV4 "\xc0\x00\x02\x01\xc6\x33\x64\x01" PORTS
#define IPV6 \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" PORTS
#define TEN "0123456789"
#define V1_ROOM "PROXY UNKNOWN " TEN TEN TEN TEN TEN TEN TEN TEN TEN "x" /* 105 bytes */

static const struct {
    struct text bytes;
    const char *source; /* NULL: none; "unix": only the family */
} whole[] = {
    {{"PROXY TCP4 192.0.2.1 198.51.100.1 12345 443\r\n", 45}, "192.0.2.1"},
    {{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", 56}, "255.255.255.255"},
    {{"PROXY TCP6 2001:db8::1 2001:db8::2 12345 0\r\n", 44}, "2001:db8::1"},
    {{"PROXY UNKNOWN\r\n", 15}, NULL},
    {{"PROXY UNKNOWN any thing\r\n", 25}, NULL},
    {{V1_ROOM "\r\n", 107}, NULL},
    {{SIGNATURE "\x21\x11\0\x0c" IPV4, 28}, "192.0.2.1"},
    {{SIGNATURE "\x21\x21\0\x24" IPV6, 52}, "2001:db8::1"},
    {{SIGNATURE "\x20\0\0\0", 16}, NULL},
    {{SIGNATURE "\x20\x11\0\x0c" IPV4, 28}, NULL},
    {{SIGNATURE "\x20\xff\0\x01x", 17}, NULL},
    {{SIGNATURE "\x21\0\0\0", 16}, NULL},
    {{SIGNATURE "\x21\0\0\x03xyz", 19}, NULL},
    {{SIGNATURE "\x21\x11\0\x0f" IPV4 "\x04\0\0", 31}, "192.0.2.1"},
    {{SIGNATURE "\x21\x11\0\x15" IPV4 "\x04\0\x01x\x05\0\x02yz", 37}, "192.0.2.1"},
    {{SIGNATURE "\x21\x11\0\x13" IPV4 "\x03\0\x04\x9b\x5e\xa8\xe7", 35}, "192.0.2.1"},
};

static enum proxy_kind read_of(struct text bytes, struct proxy_header *header)
{
    char *copy = malloc(bytes.length + 1); /* so that the sanitizer sees each byte read beyond */
    memcpy(copy, bytes.base, bytes.length);
    char *exact = realloc(copy, bytes.length > 0 ? bytes.length : 1);
    enum proxy_kind kind = proxy_read((struct text){exact, bytes.length}, header);
    free(exact);
    return kind;
}

static void source_is(const struct proxy_header *header, const char *source)
{
    struct sockaddr_in in;
    char shown[INET6_ADDRSTRLEN] = "";
    ck_assert_int_eq(header->has_source, source != NULL);
    memcpy(&in, &header->source, sizeof(in));
    switch (header->source.sin6_family) {
    case AF_INET:
        inet_ntop(AF_INET, &in.sin_addr, shown, sizeof(shown));
        ck_assert_str_eq(shown, source);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &header->source.sin6_addr, shown, sizeof(shown));
        ck_assert_str_eq(shown, source);
        break;
    default: ck_assert_ptr_null(source);
    }
}

START_TEST(reads_headers_at_every_split)
{
    struct text bytes = whole[_i].bytes;
    struct proxy_header header;
    for (size_t length = 0; length < bytes.length; length++)
        ck_assert_msg(read_of((struct text){bytes.base, length}, &header) == PROXY_PARTIAL,
                      "%zu of %zu bytes", length, bytes.length);
    ck_assert_int_eq(read_of(bytes, &header), PROXY_WHOLE);
    ck_assert_uint_eq(header.length, bytes.length);
    source_is(&header, whole[_i].source);
}
END_TEST

START_TEST(leaves_what_follows)
{
    struct text bytes = whole[_i].bytes;
    char more[256];
    struct proxy_header header;
    memcpy(more, bytes.base, bytes.length);
    memcpy(more + bytes.length, "GET /", 5);
    ck_assert_int_eq(read_of((struct text){more, bytes.length + 5}, &header), PROXY_WHOLE);
    ck_assert_uint_eq(header.length, bytes.length);
    source_is(&header, whole[_i].source);
}
END_TEST

START_TEST(ports_are_kept)
{
    struct proxy_header header;
    struct sockaddr_in in;
    for (size_t i = 0; i < 7; i += 6) {
        ck_assert_int_eq(read_of(whole[i].bytes, &header), PROXY_WHOLE);
        memcpy(&in, &header.source, sizeof(in));
        ck_assert_uint_eq(ntohs(in.sin_port), 12345);
    }
}
END_TEST

START_TEST(unix_clients_have_no_address)
{
    char bytes[16 + 216] = SIGNATURE "\x21\x31\0\xd8/run/socket";
    struct proxy_header header;
    ck_assert_int_eq(read_of((struct text){bytes, sizeof(bytes)}, &header), PROXY_WHOLE);
    ck_assert(header.has_source);
    ck_assert_int_eq(header.source.sin6_family, AF_UNIX);
}
END_TEST

static const struct text bad[] = {
    {"G", 1},
    {"\n", 1},
    {"\0", 1},
    {"\x16\x03\x01", 3},
    {"PROXX", 5},
    {"proxy TCP4", 10},
    {"PROXY\r\n", 7},
    {"PROXY \r\n", 8},
    {"PROXY \n", 7},
    {"PROXY UNKNOWN\n", 14},
    {"PROXY unknown\r\n", 15},
    {"PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", 40},
    {"PROXY TCP4\r\n", 12},
    {"PROXY TCP4 \r\n", 13},
    {"PROXY TCP4 192.0.2.1\r\n", 22},
    {"PROXY TCP4 192.0.2.1 198.51.100.1\r\n", 35},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n", 37},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 1 \r\n", 38},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 1 2 \r\n", 40},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n", 41},
    {"PROXY TCP4  192.0.2.1 198.51.100.1 1 2\r\n", 41},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n", 43},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 1 +2\r\n", 41},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n", 41},
    {"PROXY TCP4 192.0.2.1 198.51.100.1 123456 2\r\n", 44},
    {"PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n", 41},
    {"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", 40},
    {"PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n", 39},
    {"PROXY TCP6 2001:db8::1 2001:db8::2\t1 2\r\n", 40},
    {"PROXY TCP4 192.0.2.1\0 198.51.100.1 1 2\r\n", 40},
    {V1_ROOM "x\r\n", 108},
    {V1_ROOM "xx", 107},
    {"\r\n\r\n\r", 5},
    {SIGNATURE "\x11", 13},
    {SIGNATURE "\x22", 13},
    {SIGNATURE "\x31", 13},
    {SIGNATURE "\x21\x12\0\x0c" IPV4, 28},
    {SIGNATURE "\x21\x10\0\x0c" IPV4, 28},
    {SIGNATURE "\x21\x41\0\x0c" IPV4, 28},
    {SIGNATURE "\x21\x11\0\x0b" IPV4, 28},
    {SIGNATURE "\x21\x11\0\0", 16},
    {SIGNATURE "\x21\x21\0\x23" IPV6, 52},
    {SIGNATURE "\x21\x31\0\xd7", 16 + 215},
    {SIGNATURE "\x21\x11\0\x0d" IPV4 "\x04", 29},
    {SIGNATURE "\x21\x11\0\x0f" IPV4 "\x04\0\x01", 31},
    {SIGNATURE "\x21\x11\0\x13" IPV4 "\x03\0\x04\x9b\x5e\xa8\xe6", 35},
    {SIGNATURE "\x21\x11\0\x12" IPV4 "\x03\0\x03\x13\x0e\x60", 34},
    {SIGNATURE "\x21\x11\x0f\xf1", 16}, /* one byte more than PROXY_BYTES_MAX */
};

START_TEST(refuses_what_is_none)
{
    static char zeros[300];
    struct text bytes = bad[_i];
    struct proxy_header header;
    if (strlen(bytes.base) < bytes.length && bytes.length > 200) { /* the rest is zeros */
        memcpy(zeros, bytes.base, 16);
        bytes.base = zeros;
    }
    ck_assert_int_eq(read_of(bytes, &header), PROXY_BAD);
}
END_TEST

START_TEST(longest_header)
{
    static char bytes[PROXY_BYTES_MAX] = SIGNATURE "\x21\x11\x0f\xf0" IPV4 "\x04\x0f\xe1";
    struct proxy_header header;
    ck_assert_int_eq(read_of((struct text){bytes, PROXY_BYTES_MAX - 1}, &header), PROXY_PARTIAL);
    ck_assert_int_eq(read_of((struct text){bytes, PROXY_BYTES_MAX}, &header), PROXY_WHOLE);
    ck_assert_uint_eq(header.length, PROXY_BYTES_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy");
    TCase *cases = tcase_create("proxy");
    int count = sizeof(whole) / sizeof(whole[0]);
    tcase_add_loop_test(cases, reads_headers_at_every_split, 0, count);
    tcase_add_loop_test(cases, leaves_what_follows, 0, count);
    tcase_add_test(cases, ports_are_kept);
    tcase_add_test(cases, unix_clients_have_no_address);
    tcase_add_loop_test(cases, refuses_what_is_none, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(cases, longest_header);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
