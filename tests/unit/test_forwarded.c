/*
 * Tests of src/http/forwarded.c: which member of the lists is the client.
 */
#include "http/forwarded.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    enum forwarding forwarding;
    const char *lines;  /* divided by newlines */
    const char *client; /* NULL: none */
} cases[] = {
    {FORWARDING_FORWARDED, "for=192.0.2.1", "192.0.2.1"},
    {FORWARDING_FORWARDED, "for=192.0.2.1:80;proto=https", "192.0.2.1"},
    {FORWARDING_FORWARDED, "by=a; FOR=\"[2001:db8::1]:_port\"", NULL},
    {FORWARDING_FORWARDED, "by=a; FOR=\"[2001:db8::1]:80\"", "2001:db8::1"},
    {FORWARDING_FORWARDED, "for=\"[2001:db8::1]\" ;by=a", "2001:db8::1"},
    {FORWARDING_FORWARDED, "host=\"a;for=192.0.2.9,\";for=192.0.2.1", "192.0.2.1"},
    {FORWARDING_FORWARDED, "host=\"a\\\",for=192.0.2.9", NULL},
    {FORWARDING_FORWARDED, "xfor=192.0.2.1", NULL},
    {FORWARDING_FORWARDED, "for=", NULL},
    {FORWARDING_FORWARDED, "for=\"", NULL},
    {FORWARDING_FORWARDED, "for=\"[\"", NULL},
    {FORWARDING_FORWARDED, ";;;", NULL},
    {FORWARDING_FORWARDED, "for=192.0.2.1,,for=10.0.0.1", "192.0.2.1"},
    {FORWARDING_FORWARDED, "for=192.0.2.1\nfor=10.0.0.1", "192.0.2.1"},
    {FORWARDING_FORWARDED, "for=192.0.2.1\nfor=unknown\nfor=10.0.0.1", "10.0.0.1"},
    {FORWARDING_FORWARDED, "for=10.0.0.3,for=10.0.0.2", "10.0.0.3"},
    {FORWARDING_FORWARDED, "for=192.0.2.1,for=192.0.2.2,for=10.0.0.2", "192.0.2.2"},
    {FORWARDING_FORWARDED, "for=192.0.2.1,for=unknown", NULL},
    {FORWARDING_X_FORWARDED_FOR, "192.0.2.1", "192.0.2.1"},
    {FORWARDING_X_FORWARDED_FOR, "192.0.2.1:65535", "192.0.2.1"},
    {FORWARDING_X_FORWARDED_FOR, "192.0.2.1:", NULL},
    {FORWARDING_X_FORWARDED_FOR, "192.0.2.1:123456", NULL},
    {FORWARDING_X_FORWARDED_FOR, "2001:db8::1 , 10.0.0.1", "2001:db8::1"},
    {FORWARDING_X_FORWARDED_FOR, "[2001:db8::1]x", NULL},
    {FORWARDING_X_FORWARDED_FOR, "[2001:db8::1", NULL},
    {FORWARDING_X_FORWARDED_FOR, "[]", NULL},
    {FORWARDING_X_FORWARDED_FOR, ":", NULL},
    {FORWARDING_X_FORWARDED_FOR, "example.org", NULL},
    {FORWARDING_X_FORWARDED_FOR, "", NULL},
};

static void lines_add(struct fields *fields, enum field field, struct text lines)
{
    for (;;) {
        const char *newline = memchr(lines.base, '\n', lines.length);
        size_t length = newline ? (size_t)(newline - lines.base) : lines.length;
        ck_assert(fields_add(fields, field, (struct text){lines.base, length}));
        if (!newline) return;
        lines = (struct text){newline + 1, lines.length - length - 1};
    }
}

START_TEST(the_client_is_found)
{
    struct conn_rules rules = {.forwarding = cases[_i].forwarding};
    struct fields fields = {.count = 0};
    size_t length = strlen(cases[_i].lines);
    bool standard = rules.forwarding == FORWARDING_FORWARDED;
    char *copy = malloc(length > 0 ? length : 1); /* a sanitizer sees each byte read beyond */
    memcpy(copy, cases[_i].lines, length);
    ck_assert(networks_add(&rules.trusted, TEXT("10.0.0.0/8")));
    lines_add(&fields, standard ? FIELD_FORWARDED : FIELD_X_FORWARDED_FOR,
              (struct text){copy, length});
    struct text client = forwarded_client(&fields, &rules);
    if (!cases[_i].client)
        ck_assert_ptr_null(client.base);
    else
        ck_assert(client.base && client.length == strlen(cases[_i].client) &&
                  memcmp(client.base, cases[_i].client, client.length) == 0);
    free(copy);
}
END_TEST

static const struct {
    enum forwarding forwarding;
    const char *lines;
    bool https;
} schemes[] = {
    {FORWARDING_FORWARDED, "proto=https", true},
    {FORWARDING_FORWARDED, "for=192.0.2.1;PROTO=\"Https\" ;by=a", true},
    {FORWARDING_FORWARDED, "proto=http", false},
    {FORWARDING_FORWARDED, "proto=\"https", false},
    {FORWARDING_FORWARDED, "xproto=https", false},
    {FORWARDING_FORWARDED, "proto=https, for=192.0.2.1", false},
    {FORWARDING_FORWARDED, "proto=https, for=10.0.0.1", true},
    {FORWARDING_FORWARDED, "proto=https\nfor=10.0.0.1;proto=http", true},
    {FORWARDING_FORWARDED, "for=10.0.0.2, for=10.0.0.1;proto=https", true},
    {FORWARDING_FORWARDED, "proto=https, for=unknown, for=10.0.0.1", false},
    {FORWARDING_FORWARDED, "", false},
    {FORWARDING_X_FORWARDED_FOR, "https", true},
    {FORWARDING_X_FORWARDED_FOR, "http, HTTPS", true},
    {FORWARDING_X_FORWARDED_FOR, "https, http", false},
    {FORWARDING_X_FORWARDED_FOR, "https\nhttp", false},
    {FORWARDING_X_FORWARDED_FOR, "http\nhttps ", true},
    {FORWARDING_X_FORWARDED_FOR, "httpsx", false},
    {FORWARDING_X_FORWARDED_FOR, "\"https\"", false},
    {FORWARDING_X_FORWARDED_FOR, "", false},
};

START_TEST(the_scheme_is_found)
{
    struct conn_rules rules = {.forwarding = schemes[_i].forwarding};
    struct fields fields = {.count = 0};
    bool standard = rules.forwarding == FORWARDING_FORWARDED;
    ck_assert(networks_add(&rules.trusted, TEXT("10.0.0.0/8")));
    lines_add(&fields, standard ? FIELD_FORWARDED : FIELD_X_FORWARDED_PROTO,
              (struct text){schemes[_i].lines, strlen(schemes[_i].lines)});
    ck_assert_int_eq(forwarded_https(&fields, &rules), schemes[_i].https);
}
END_TEST

START_TEST(without_the_field)
{
    struct conn_rules rules = {.forwarding = FORWARDING_FORWARDED};
    struct fields fields = {.count = 0};
    ck_assert(fields_add(&fields, FIELD_X_FORWARDED_FOR, TEXT("192.0.2.1")));
    ck_assert_ptr_null(forwarded_client(&fields, &rules).base);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forwarded");
    TCase *tcase = tcase_create("forwarded");
    tcase_add_loop_test(tcase, the_client_is_found, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_loop_test(tcase, the_scheme_is_found, 0, sizeof(schemes) / sizeof(schemes[0]));
    tcase_add_test(tcase, without_the_field);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
