/*
 * Takes any bytes as a date, under three clocks. A date that is read is within the years that can be
 * written, and when it is written it reads back as the same moment. The clock matters only for the form of
 * RFC 850.
 */
#include "zcserve/date.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_written(int64_t seconds)
{
    char text[DATE_LENGTH + 1], log[DATE_LOG_LENGTH + 1];
    int64_t again = ~seconds;
    assert(seconds >= INT64_C(-62135596800) && seconds <= INT64_C(253402300799));
    date_format(seconds, text);
    assert(text[DATE_LENGTH] == '\0' && strlen(text) == DATE_LENGTH);
    assert(date_parse((struct text){text, DATE_LENGTH}, 0, &again) && again == seconds);
    date_format_log(seconds, log);
    assert(log[DATE_LOG_LENGTH] == '\0' && strlen(log) == DATE_LOG_LENGTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const int64_t clocks[] = {0, 1700000000, 4000000000, INT64_MIN, INT64_MAX};
    const struct text text = {(const char *)bytes, size};
    int64_t first = 0;
    bool first_read = date_parse(text, clocks[0], &first);
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        int64_t seconds = 4711;
        bool read = date_parse(text, clocks[i], &seconds);
        if (read)
            check_written(seconds);
        else
            assert(seconds == 4711);
        if (size == DATE_LENGTH || size == 24)
            assert(read == first_read && (!read || seconds == first));
    }
    return 0;
}
