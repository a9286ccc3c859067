/*
 * Tests of bench/lab/table.c, table_file.c and text.c: what is written is read again, and the right
 * rows are chosen.
 */
#include "../../bench/lab/table.h"
#include "../../bench/lab/text.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct column factors[] = {
    {"method", "text", "m"}, {"block_bytes", "bytes", "b"}, {0}};
static struct table table;

static void given(void)
{
    table_open(&table, factors, NULL);
    table_add(&table, "method=read block_bytes=4096 mb_per_s=100 repetition=1");
    table_add(&table, "method=read block_bytes=4096 mb_per_s=110 repetition=2");
    table_add(&table, "method=read block_bytes=65536 mb_per_s=400 warnings=load");
    table_add(&table, "method=mmap block_bytes=4096");
}

static void freed(void)
{
    table_close(&table);
}

START_TEST(rows_are_chosen)
{
    struct cell cell[DISTINCT_MAX];
    struct sample sample = table_sample(&table, "mb_per_s", "method=%s block_bytes=4096", "read");
    ck_assert_uint_eq(sample.count, 2);
    ck_assert_double_eq(sample.value[1], 110);
    ck_assert_uint_eq(table_sample(&table, "mb_per_s", "method=mmap").count, 0); /* has no rows */
    ck_assert_uint_eq(table_sample(&table, "mb_per_s", "%s", "").count, 3);
    ck_assert_uint_eq(table_sample(&table, "mb_per_s", "wings=2").count, 0);
    ck_assert_uint_eq(table_sample(&table, "wings", "method=read").count, 0);
    ck_assert_uint_eq(table_distinct(&table, "block_bytes", cell, "%s", ""), 2);
    ck_assert_double_eq(cell[0].number, 4096);
    ck_assert_uint_eq(table_distinct(&table, "method", cell, "block_bytes=65536"), 1);
    ck_assert_str_eq(cell[0].text, "read");
}
END_TEST

START_TEST(csv_is_read_as_it_was_written)
{
    char path[] = "/tmp/zclab-table-XXXXXX", line[2048];
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w+");
    table_head_write(&table, "test", file);
    for (size_t r = 0; r < table.rows; r++)
        table_row_write(&table, r, "test", file);
    fputs("test,rea", file); /* an incomplete line */
    fflush(file);
    rewind(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_int_eq(strncmp(line, "experiment,method,block_bytes,repetition,seconds,", 49), 0);
    fclose(file);
    struct table again;
    table_open(&again, factors, NULL);
    ck_assert_int_eq(table_read(&again, path), 0);
    ck_assert_uint_eq(again.rows, table.rows);
    for (size_t i = 0; i < table.rows * table.columns; i++) {
        ck_assert_str_eq(again.cells[i].text, table.cells[i].text);
        ck_assert(isnan(table.cells[i].number) ? isnan(again.cells[i].number)
                                               : again.cells[i].number == table.cells[i].number);
    }
    table_close(&again);
    ck_assert_int_eq(truncate(path, 3), 0);
    ck_assert_int_eq(table_read(&again, path), -EBADMSG);
    unlink(path);
    ck_assert_int_eq(table_read(&again, path), -ENOENT);
}
END_TEST

START_TEST(unknown_column_is_told)
{
    struct cell *row = table_row_add(&table);
    ck_assert_str_eq(table_set(&table, row, "method=read wings=2"), "wings");
    ck_assert_ptr_null(table_set(&table, row, "method= block_bytes=12"));
    ck_assert_str_eq(row[0].text, "");
    ck_assert_double_eq(row[1].number, 12);
}
END_TEST

START_TEST(figures_as_text)
{
    static const struct {
        double value;
        const char *unit, *text;
    } rows[] = {{4096, "bytes", "4 KiB"},     {1536, "bytes", "1.5 KiB"},
                {512, "bytes", "512 bytes"},  {812.4, "MB/s", "812 MB/s"},
                {12345, "MB/s", "12.3 GB/s"}, {1234567, "1/s", "1,230,000/s"},
                {81.26, "us", "81.3 µs"},     {1500, "us", "1.5 ms"},
                {2.5e6, "us", "2.5 s"},       {0.934, "share", "93.4 %"},
                {16, "count", "16"},          {0.0123, "ratio", "0.0123"},
                {999.6, "count", "1,000"},    {0, "count", "0"},
                {100, "count", "100"},        {4096, "count", "4,096"}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        text said;
        ck_assert_str_eq(text_figure(said, rows[i].value, rows[i].unit), rows[i].text);
    }
}
END_TEST

START_TEST(sizes_are_read)
{
    double value;
    ck_assert(text_size_read("4k", &value) && value == 4096);
    ck_assert(text_size_read("1.5m", &value) && value == 1572864);
    ck_assert(text_size_read("512", &value) && value == 512);
    ck_assert(!text_size_read("k", &value) && !text_size_read("4kb", &value));
    ck_assert(!text_size_read("", &value) && !text_size_read("-1", &value));
    ck_assert(!text_size_read("inf", &value) && !text_size_read("4x", &value));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lab_table");
    TCase *cases = tcase_create("table");
    tcase_add_checked_fixture(cases, given, freed);
    tcase_add_test(cases, rows_are_chosen);
    tcase_add_test(cases, csv_is_read_as_it_was_written);
    tcase_add_test(cases, unknown_column_is_told);
    tcase_add_test(cases, figures_as_text);
    tcase_add_test(cases, sizes_are_read);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
