/*
 * Converts dates by counting days since 0001-01-01 of the Gregorian calendar, extended to the years
 * before its introduction. So neither libc's tables nor a time zone are needed. The three forms
 * have fixed widths: they are read by position, and a text of any other length is refused.
 */
#include "zcserve/date.h"

#define SECONDS_PER_DAY 86400
#define DAYS_BEFORE_EPOCH 719162          /* from 0001-01-01 to 1970-01-01 */
#define SECONDS_MIN INT64_C(-62135596800) /* 0001-01-01 00:00:00           */
#define SECONDS_MAX INT64_C(253402300799) /* 9999-12-31 23:59:59           */
#define DAYS_PER_400_YEARS 146097

struct civil {
    int year;    /* 1 … 9999                        */
    int month;   /* 0 … 11                          */
    int day;     /* 1 … 31                          */
    int clock;   /* seconds since midnight          */
    int weekday; /* 0 is Sunday; only for output    */
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekday_names[] = "SunMonTueWedThuFriSat";
static const struct text weekday_long[7] = {
    {"Sunday", 6},   {"Monday", 6}, {"Tuesday", 7},  {"Wednesday", 9},
    {"Thursday", 8}, {"Friday", 6}, {"Saturday", 8},
};

static bool year_leaps(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_before_year(int year)
{
    int past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

/* `month` may be 12: January of the next year. */
static int days_before_month(int year, int month)
{
    static const int days[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return days[month] + (month > 1 && year_leaps(year));
}

static int days_in_month(int year, int month)
{
    return days_before_month(year, month + 1) - days_before_month(year, month);
}

static int64_t civil_seconds(const struct civil *civil)
{
    int64_t days = days_before_year(civil->year) + days_before_month(civil->year, civil->month) +
                   civil->day - 1;
    return (days - DAYS_BEFORE_EPOCH) * SECONDS_PER_DAY + civil->clock;
}

static struct civil civil_from(int64_t seconds)
{
    struct civil civil;
    seconds = seconds < SECONDS_MIN ? SECONDS_MIN : seconds;
    seconds = seconds > SECONDS_MAX ? SECONDS_MAX : seconds;
    int days = (int)((seconds - SECONDS_MIN) / SECONDS_PER_DAY);
    civil.clock = (int)((seconds - SECONDS_MIN) % SECONDS_PER_DAY);
    civil.weekday = (days + 1) % 7;

    /* The mean length of a year gives the year, or one too many or too few near its ends. */
    civil.year = (int)((int64_t)days * 400 / DAYS_PER_400_YEARS) + 1;
    while (days_before_year(civil.year) > days)
        civil.year--;
    while (days_before_year(civil.year + 1) <= days)
        civil.year++;
    days -= days_before_year(civil.year);
    civil.month = days / 31;
    while (civil.month < 11 && days_before_month(civil.year, civil.month + 1) <= days)
        civil.month++;
    civil.day = days - days_before_month(civil.year, civil.month) + 1;
    return civil;
}

static char *digits_put(char *at, int number, int width)
{
    for (int i = width - 1; i >= 0; i--, number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + width;
}

static char *text_put(char *at, const char *base, size_t length)
{
    memcpy(at, base, length);
    return at + length;
}

static char *clock_put(char *at, int clock)
{
    at = digits_put(at, clock / 3600, 2);
    *at++ = ':';
    at = digits_put(at, clock / 60 % 60, 2);
    *at++ = ':';
    return digits_put(at, clock % 60, 2);
}

void date_format(int64_t seconds, char text[DATE_LENGTH + 1])
{
    struct civil civil = civil_from(seconds);
    char *at = text_put(text, weekday_names + 3 * civil.weekday, 3);
    at = text_put(at, ", ", 2);
    at = digits_put(at, civil.day, 2);
    *at++ = ' ';
    at = text_put(at, month_names + 3 * civil.month, 3);
    *at++ = ' ';
    at = digits_put(at, civil.year, 4);
    *at++ = ' ';
    at = clock_put(at, civil.clock);
    text_put(at, " GMT", 5);
}

void date_format_log(int64_t seconds, char text[DATE_LOG_LENGTH + 1])
{
    struct civil civil = civil_from(seconds);
    char *at = digits_put(text, civil.day, 2);
    *at++ = '/';
    at = text_put(at, month_names + 3 * civil.month, 3);
    *at++ = '/';
    at = digits_put(at, civil.year, 4);
    *at++ = ':';
    at = clock_put(at, civil.clock);
    text_put(at, " +0000", 7);
}

/* Returns which of `count` names of three letters is at `at`, or -1. */
static int name_read(const char *at, const char *names, int count)
{
    for (int i = 0; i < count; i++)
        if (memcmp(at, names + 3 * i, 3) == 0) return i;
    return -1;
}

/* Reads `width` digits. Returns -1 when one of them is no digit. */
static int digits_read(const char *at, int width)
{
    int number = 0;
    for (int i = 0; i < width; i++) {
        if (at[i] < '0' || at[i] > '9') return -1;
        number = number * 10 + (at[i] - '0');
    }
    return number;
}

/* Reads "08:49:37" as seconds since midnight, a leap second as :59. Returns -1 when malformed. */
static int clock_read(const char *at)
{
    int hour = digits_read(at, 2), minute = digits_read(at + 3, 2), second = digits_read(at + 6, 2);
    if (at[2] != ':' || at[5] != ':' || hour < 0 || minute < 0 || second < 0) return -1;
    if (hour == 23 && minute == 59 && second == 60) second = 59;
    if (hour > 23 || minute > 59 || second > 59) return -1;
    return hour * 3600 + minute * 60 + second;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool imf_read(const char *at, struct civil *civil)
{
    civil->day = digits_read(at + 5, 2);
    civil->month = name_read(at + 8, month_names, 12);
    civil->year = digits_read(at + 12, 4);
    civil->clock = clock_read(at + 17);
    return name_read(at, weekday_names, 7) >= 0 && memcmp(at + 3, ", ", 2) == 0 && at[7] == ' ' &&
           at[11] == ' ' && at[16] == ' ' && memcmp(at + 25, " GMT", 4) == 0;
}

#define ASCTIME_LENGTH 24

/* "Sun Nov  6 08:49:37 1994" */
static bool asctime_read(const char *at, struct civil *civil)
{
    civil->month = name_read(at + 4, month_names, 12);
    civil->day = at[8] == ' ' ? digits_read(at + 9, 1) : digits_read(at + 8, 2);
    civil->clock = clock_read(at + 11);
    civil->year = digits_read(at + 20, 4);
    return name_read(at, weekday_names, 7) >= 0 && at[3] == ' ' && at[7] == ' ' && at[10] == ' ' &&
           at[19] == ' ';
}

#define RFC850_LENGTH 22 /* without the name of the weekday */

/* Returns the last year with these two last digits that is at most 50 years ahead of now. */
static int year_settle(struct civil civil, int64_t now_seconds)
{
    struct civil latest = civil_from(now_seconds);
    latest.year += 50;
    civil.year = latest.year - (latest.year - civil.year) % 100;
    if (civil_seconds(&civil) > civil_seconds(&latest)) civil.year -= 100;
    return civil.year;
}

/* "06-Nov-94 08:49:37 GMT"; the weekday before it has been read already. */
static bool rfc850_read(const char *at, int64_t now_seconds, struct civil *civil)
{
    civil->day = digits_read(at, 2);
    civil->month = name_read(at + 3, month_names, 12);
    civil->year = digits_read(at + 7, 2);
    civil->clock = clock_read(at + 10);
    if (civil->month < 0 || civil->year < 0) return false;
    civil->year = year_settle(*civil, now_seconds);
    return at[2] == '-' && at[6] == '-' && at[9] == ' ' && memcmp(at + 18, " GMT", 4) == 0;
}

/* Returns the length of "Sunday, " or another weekday that `text` begins with; 0 when none. */
static size_t weekday_long_length(struct text text)
{
    for (int i = 0; i < 7; i++) {
        size_t length = weekday_long[i].length;
        if (text.length > length + 2 && memcmp(text.base, weekday_long[i].base, length) == 0 &&
            memcmp(text.base + length, ", ", 2) == 0)
            return length + 2;
    }
    return 0;
}

static bool civil_valid(const struct civil *civil)
{
    return civil->year >= 1 && civil->year <= 9999 && civil->month >= 0 && civil->day >= 1 &&
           civil->day <= days_in_month(civil->year, civil->month) && civil->clock >= 0;
}

bool date_parse(struct text text, int64_t now_seconds, int64_t *seconds)
{
    struct civil civil;
    size_t skip;
    bool read = false;
    if (text.length == DATE_LENGTH)
        read = imf_read(text.base, &civil);
    else if (text.length == ASCTIME_LENGTH)
        read = asctime_read(text.base, &civil);
    else if ((skip = weekday_long_length(text)) > 0 && text.length == skip + RFC850_LENGTH)
        read = rfc850_read(text.base + skip, now_seconds, &civil);
    if (!read || !civil_valid(&civil)) return false;
    *seconds = civil_seconds(&civil);
    return true;
}
