/*
 * Dates. What is written is compared with libc's gmtime_r, over a wide table and random moments.
 * What is written is read again in all three forms. A table says what is a date and what is not.
 */
#include "zcserve/date.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NOW INT64_C(1700000000) /* Tue, 14 Nov 2023 22:13:20 GMT */
#define FIRST INT64_C(-62135596800)
#define LAST INT64_C(253402300799)
#define DAY 86400

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

static struct tm broken_down(int64_t seconds)
{
    struct tm tm;
    time_t time = (time_t)seconds;
    if (gmtime_r(&time, &tm) == NULL) ck_abort_msg("gmtime_r");
    return tm;
}

static bool parse(const char *text, int64_t now, int64_t *seconds)
{
    size_t length = strlen(text);
    char *copy = malloc(length);
    if (length > 0) memcpy(copy, text, length);
    bool read = date_parse((struct text){copy, length}, now, seconds);
    free(copy);
    return read;
}

static void expect_parsed(const char *text, int64_t seconds, int64_t now)
{
    int64_t read = 0;
    if (!parse(text, now, &read)) ck_abort_msg("%s was not read", text);
    if (read != seconds)
        ck_abort_msg("%s: %lld, not %lld", text, (long long)read, (long long)seconds);
}

static void expect_same(const char *text, const char *expected)
{
    if (strcmp(text, expected) != 0) ck_abort_msg("%s, not %s", text, expected);
}

/*
 * Writes a moment in every form and reads it again. Only errors are passed to Check, because it
 * writes down every assertion, and there are many moments.
 */
static void check_moment(int64_t seconds)
{
    struct tm tm = broken_down(seconds);
    char text[DATE_LENGTH + 1], log[DATE_LOG_LENGTH + 1], expected[100], clock[40];
    int year = tm.tm_year + 1900;
    const char *month = months[tm.tm_mon], *day = days[tm.tm_wday];
    snprintf(clock, sizeof(clock), "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);

    date_format(seconds, text);
    snprintf(expected, sizeof(expected), "%.3s, %02d %s %04d %s GMT", day, tm.tm_mday, month, year,
             clock);
    expect_same(text, expected);
    expect_parsed(text, seconds, NOW);

    date_format_log(seconds, log);
    snprintf(expected, sizeof(expected), "%02d/%s/%04d:%s +0000", tm.tm_mday, month, year, clock);
    expect_same(log, expected);

    snprintf(expected, sizeof(expected), "%.3s %s %2d %s %04d", day, month, tm.tm_mday, clock,
             year);
    expect_parsed(expected, seconds, NOW);

    /* Ten years later the two digits of the year still mean the same century. */
    snprintf(expected, sizeof(expected), "%s, %02d-%s-%02d %s GMT", day, tm.tm_mday, month,
             year % 100, clock);
    int64_t later = seconds + INT64_C(3652) * DAY;
    if (later <= LAST) expect_parsed(expected, seconds, later);
}

/* Every day of four centuries, and every 13th day of the others, each at one second of the day. */
START_TEST(every_day)
{
    int64_t second = 0, step;
    for (int64_t day = FIRST; day <= LAST; day += step) {
        struct tm tm = broken_down(day);
        step = tm.tm_year >= -100 && tm.tm_year < 300 ? DAY : 13 * DAY;
        second = (second + 7919) % DAY;
        check_moment(day + second);
    }
}
END_TEST

START_TEST(midnights)
{
    for (int year = 1; year <= 9999; year++) {
        struct tm tm = {.tm_year = year - 1900, .tm_mday = 1};
        int64_t begins = (int64_t)timegm(&tm);
        tm = (struct tm){.tm_year = year - 1900, .tm_mon = 2, .tm_mday = 1};
        int64_t march = (int64_t)timegm(&tm);
        check_moment(begins);
        if (begins > FIRST) check_moment(begins - 1);
        check_moment(march);
        check_moment(march - 1);
    }
    check_moment(LAST);
}
END_TEST

START_TEST(random_moments)
{
    uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
    for (int i = 0; i < 100000; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        check_moment(FIRST + (int64_t)(state % (uint64_t)(LAST - FIRST + 1)));
    }
}
END_TEST

START_TEST(clamped)
{
    char text[DATE_LENGTH + 1];
    static const int64_t early[] = {INT64_MIN, FIRST - 1}, late[] = {INT64_MAX, LAST + 1};
    for (int i = 0; i < 2; i++) {
        date_format(early[i], text);
        ck_assert_str_eq(text, "Mon, 01 Jan 0001 00:00:00 GMT");
        date_format(late[i], text);
        ck_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds;
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Sun Nov 06 08:49:37 1994", 784111777},
    {"Sun Nov 16 08:49:37 1994", 784975777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    /* the weekday is not compared with the date */
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Wednesday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sat Nov  6 08:49:37 1994", 784111777},
    /* leap days, leap seconds */
    {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
    {"Thu, 29 Feb 1996 00:00:00 GMT", 825552000},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228799},
    {"Sat Dec 31 23:59:60 2016", 1483228799},
    {"Saturday, 31-Dec-16 23:59:60 GMT", 1483228799},
    {"Fri, 31 Dec 9999 23:59:60 GMT", LAST},
    {"Mon, 01 Jan 0001 00:00:00 GMT", FIRST},
};

START_TEST(is_date)
{
    expect_parsed(dates[_i].text, dates[_i].seconds, NOW);
}
END_TEST

static const char *const not_dates[] = {
    "",
    "0",
    "-1",
    "784111777",
    "now",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT; length=3",
    "Sun, 06 Nov 1994 08:49:37GMT ",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 Nov 1994T08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:3x GMT",
    "Sun, 06 Nov 199x 08:49:37 GMT",
    "Sun, 06 Nov +994 08:49:37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "sun, 06 nov 1994 08:49:37 gmt",
    "SUN, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 NOV 1994 08:49:37 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nox 1994 08:49:37 GMT",
    "Sun, 06 anF 1994 08:49:37 GMT",
    "unM, 06 Nov 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 32 Oct 1994 08:49:37 GMT",
    "Sun, 29 Feb 1994 08:49:37 GMT",
    "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 30 Feb 2000 08:49:37 GMT",
    "Sun, 06 Nov 0000 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:60 GMT",
    "Sun, 06 Nov 1994 22:59:60 GMT",
    "Sun, 06 Nov 1994 23:58:60 GMT",
    "Sun, 06 Nov 1994 23:59:61 GMT",
    "Sun Nov  6 08:49:37 1994 ",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  0 08:49:37 1994",
    "Sun Nov 31 08:49:37 1994",
    "Sun Nov 6  08:49:37 1994",
    "Sun, Nov 6 08:49:37 1994",
    "Son Nov  6 08:49:37 1994",
    "Sun Nox  6 08:49:37 1994",
    "Sun Nov  6 24:49:37 1994",
    "Sun Nov  6 08:49:37 199x",
    "Sun-Nov  6 08:49:37 1994",
    "Sun Nov- 6 08:49:37 1994",
    "Sun Nov  6-08:49:37 1994",
    "Sun Nov  6 08:49:37-1994",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sunday, 06-Nov 94 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Sunday,  6-Nov-94 08:49:37 GMT",
    "Sunday 06-Nov-94 08:49:37 GMT",
    "Sunday,06-Nov-94 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sonntag, 06-Nov-94 08:49:37 GMT",
    "sunday, 06-Nov-94 08:49:37 GMT",
    "Sunday, 31-Nov-94 08:49:37 GMT",
    "Sunday, 29-Feb-95 08:49:37 GMT",
    "Sunday, 06-Nox-94 08:49:37 GMT",
    "Sunday, 06-Nov-9x 08:49:37 GMT",
    "Sunday, 06-Nov-94-08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 UTC",
    "Sunday, 06-Nov-94 08:49:37 GMT ",
    "Sunday, 06-Nov-94 25:49:37 GMT",
    "Sunday, ",
    "Sunday, 06-Nov-94",
};

START_TEST(is_no_date)
{
    int64_t seconds = 4711;
    ck_assert_msg(!parse(not_dates[_i], NOW, &seconds), "'%s' was read", not_dates[_i]);
    ck_assert_int_eq(seconds, 4711);
}
END_TEST

static int year_of(const char *text, int64_t now)
{
    int64_t seconds;
    if (!parse(text, now, &seconds)) return 0;
    return broken_down(seconds).tm_year + 1900;
}

START_TEST(two_digit_years)
{
    /* NOW is in November 2023. The latest moment is 50 years later, to the second. */
    ck_assert_int_eq(year_of("Monday, 01-Jan-23 00:00:00 GMT", NOW), 2023);
    ck_assert_int_eq(year_of("Monday, 01-Jan-24 00:00:00 GMT", NOW), 2024);
    ck_assert_int_eq(year_of("Monday, 01-Jan-73 00:00:00 GMT", NOW), 2073);
    ck_assert_int_eq(year_of("Monday, 14-Nov-73 22:13:20 GMT", NOW), 2073);
    ck_assert_int_eq(year_of("Monday, 14-Nov-73 22:13:21 GMT", NOW), 1973);
    ck_assert_int_eq(year_of("Monday, 01-Dec-73 00:00:00 GMT", NOW), 1973);
    ck_assert_int_eq(year_of("Monday, 01-Jan-74 00:00:00 GMT", NOW), 1974);
    ck_assert_int_eq(year_of("Monday, 01-Jan-99 00:00:00 GMT", NOW), 1999);
    ck_assert_int_eq(year_of("Monday, 01-Jan-00 00:00:00 GMT", NOW), 2000);
    ck_assert_int_eq(year_of("Monday, 01-Jan-70 00:00:00 GMT", 0), 1970);
    ck_assert_int_eq(year_of("Monday, 01-Jan-20 00:00:00 GMT", 0), 2020);
    ck_assert_int_eq(year_of("Monday, 01-Jan-21 00:00:00 GMT", 0), 1921);
    /* The year 2000 has a 29th of February; 1900 and 2100 have none. */
    ck_assert_int_eq(year_of("Monday, 29-Feb-00 00:00:00 GMT", NOW), 2000);
    ck_assert_int_eq(year_of("Monday, 29-Feb-00 00:00:00 GMT", INT64_C(2600000000)), 0);
    /* Clocks that are very wrong. */
    ck_assert_int_eq(year_of("Monday, 01-Jan-99 00:00:00 GMT", INT64_MAX), 9999);
    ck_assert_int_eq(year_of("Monday, 01-Jan-48 00:00:00 GMT", INT64_MAX), 0);
    ck_assert_int_eq(year_of("Monday, 01-Jan-30 00:00:00 GMT", INT64_MIN), 30);
    ck_assert_int_eq(year_of("Monday, 01-Jan-99 00:00:00 GMT", INT64_MIN), 0);
}
END_TEST

/* Changes each byte of a date to any other: it is read only if a digit or name is still valid. */
START_TEST(one_byte_changed)
{
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t form = 0; form < 3; form++) {
        for (size_t at = 0; forms[form][at] != '\0'; at++) {
            for (int byte = 1; byte < 256; byte++) {
                char text[40];
                int64_t seconds;
                strcpy(text, forms[form]);
                bool digit = text[at] >= '0' && text[at] <= '9';
                bool name = (text[at] | 0x20) >= 'a' && (text[at] | 0x20) <= 'z';
                bool unchanged = text[at] == (char)byte;
                text[at] = (char)byte;
                bool padding = form == 2 && at == 8;
                if (!parse(text, NOW, &seconds))
                    ck_assert(!unchanged);
                else if (padding || digit)
                    ck_assert((byte >= '0' && byte <= '9') || byte == ' ');
                else
                    ck_assert_msg(unchanged || name, "%s", text);
            }
        }
    }
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int main(void)
{
    Suite *suite = suite_create("date");
    TCase *cases = tcase_create("date");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, every_day);
    tcase_add_test(cases, midnights);
    tcase_add_test(cases, random_moments);
    tcase_add_test(cases, clamped);
    tcase_add_loop_test(cases, is_date, 0, COUNT(dates));
    tcase_add_loop_test(cases, is_no_date, 0, COUNT(not_dates));
    tcase_add_test(cases, two_digit_years);
    tcase_add_test(cases, one_byte_changed);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
