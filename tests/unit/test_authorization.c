/*
 * Credentials in a request (RFC 7617 §2, RFC 4648 §4): what is read, and what is none.
 */
#include "http/authorization.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* The values are copied to memory of their exact size, so that a sanitizer sees each byte too many. */
static char *copy;

static bool read_from(const char *value, size_t length, struct credentials *credentials)
{
    struct fields fields = {0};
    copy = malloc(length > 0 ? length : 1);
    memcpy(copy, value, length);
    fields_add(&fields, FIELD_AUTHORIZATION, (struct text){copy, length});
    return authorization_read(&fields, credentials);
}

static const struct {
    const char *value;
    struct text name, password;
} good[] = {
    {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", {"Aladdin", 7}, {"open sesame", 11}}, /* RFC 7617 §2   */
    {"Basic dGVzdDoxMjPCow==", {"test", 4}, {"123\xc2\xa3", 5}}, /* RFC 7617 §2.1 */
    {"basic dTpy", {"u", 1}, {"r", 1}},
    {"BASIC    dTpy", {"u", 1}, {"r", 1}},
    {"Basic OnI=", {"", 0}, {"r", 1}},
    {"Basic dTo=", {"u", 1}, {"", 0}},
    {"Basic Og==", {"", 0}, {"", 0}},
    {"Basic dTphOmI6Yw==", {"u", 1}, {"a:b:c", 5}},
    {"Basic dTr7//7+", {"u", 1}, {"\xfb\xff\xfe\xfe", 4}},
};

START_TEST(credentials_are_read)
{
    struct credentials c;
    ck_assert(read_from(good[_i].value, strlen(good[_i].value), &c));
    ck_assert(text_equals(c.name, good[_i].name) && text_equals(c.password, good[_i].password));
    free(copy);
}
END_TEST

static const struct text bad[] = {
    {"", 0},
    {"Basic", 5},
    {"Basic ", 6},
    {"Basicd dTpy", 11},
    {"Basic\tdTpy", 10},
    {"Bearer dTpy", 11},
    {"Basic dTpyc", 11},     /* no four letters */
    {"Basic dTp", 9},        /* no padding */
    {"Basic dTpy====", 14},  /* padding alone */
    {"Basic =Tpy", 10},      /* within */
    {"Basic dT=y", 10},      /* likewise */
    {"Basic dTp=", 10},      /* bits are left over: "u:" and more */
    {"Basic dT-y", 10},      /* of another alphabet */
    {"Basic dTpy dTpy", 15}, /* two */
    {"Basic dTpy, x", 13},   /* a list */
    {"Basic dXI=", 10},      /* no colon */
    {"Basic dTpyAA==", 14},  /* a NUL */
    {"Basic dQo6cg==", 14},  /* a newline in the name */
    {"Basic dTp/", 10},      /* DEL */
    {"Basic dTpy\0AAA", 14},
};

START_TEST(others_are_none)
{
    struct credentials c;
    ck_assert_msg(!read_from(bad[_i].base, bad[_i].length, &c), "%s", bad[_i].base);
    free(copy);
}
END_TEST

START_TEST(none_and_two)
{
    struct credentials c;
    struct fields fields = {0};
    char value[] = "Basic dTpy";
    ck_assert(!authorization_read(&fields, &c));
    for (int i = 0; i < 2; i++)
        fields_add(&fields, FIELD_AUTHORIZATION, (struct text){value, 10});
    ck_assert(!authorization_read(&fields, &c));
    ck_assert_str_eq(value, "Basic dTpy");
}
END_TEST

/* Writes base64 of `name` letters, a colon and `password` letters; returns its length. */
static size_t written(char *to, size_t name, size_t password)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = name + 1 + password, used = 0;
    for (size_t i = 0; i < length; i += 3) {
        unsigned bits = 0;
        for (size_t k = i; k < i + 3; k++)
            bits = bits << 8 | (unsigned)(k >= length ? 0 : k == name ? ':' : 'x');
        for (int k = 0; k < 4; k++)
            to[used++] = letters[bits >> (18 - 6 * k) & 63];
        for (size_t k = length; k < i + 3; k++)
            to[used - (i + 3 - k)] = '=';
    }
    return used;
}

START_TEST(limits)
{
    static char value[2048] = "Basic ";
    struct credentials c;
    for (size_t name = USER_NAME_MAX - 1; name <= USER_NAME_MAX + 1; name++)
        for (size_t password = PASSWORD_MAX - 1; password <= PASSWORD_MAX + 1; password++) {
            bool within = name <= USER_NAME_MAX && password <= PASSWORD_MAX;
            size_t length = 6 + written(value + 6, name, password);
            ck_assert_int_eq(read_from(value, length, &c), within);
            if (within) ck_assert(c.name.length == name && c.password.length == password);
            free(copy);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("authorization");
    TCase *tcase = tcase_create("authorization");
    tcase_add_loop_test(tcase, credentials_are_read, 0, COUNT(good));
    tcase_add_loop_test(tcase, others_are_none, 0, COUNT(bad));
    tcase_add_test(tcase, none_and_two);
    tcase_add_test(tcase, limits);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
