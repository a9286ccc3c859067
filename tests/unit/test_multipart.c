/*
 * Multipart content: byte for byte, read by another reader, and with the longest values; and the boundary.
 */
#include "http/multipart.h"
#include "core_link.h"
#include "multipart_read.h"

#include <check.h>
#include <stdlib.h>

#define TYPE "Content-Type: text/plain; charset=utf-8\r\n"

static struct conn_rules rules;
static struct ranges ranges;

static void set_up(void)
{
    rules = core_rules();
    rules.seed[0] = UINT64_C(0x0706050403020100);
    rules.seed[1] = UINT64_C(0x0f0e0d0c0b0a0908);
}

/* Returns the plan for these parts of `r`. */
static struct plan plan_of(const struct representation *r, uint32_t count,
                           const struct range *parts)
{
    struct plan plan = {.status = 206, .selected = r, .ranges = &ranges};
    ranges.count = count;
    for (uint32_t i = 0; i < count; i++) {
        ranges.part[i] = parts[i];
        plan.length += parts[i].length;
    }
    return plan;
}

/*
 * Returns all of the content, as it is sent. The caller frees it. Each head is written to a block of exactly the
 * room that a head may need, so that the sanitizer finds a longer one.
 */
static struct text content_of(const struct plan *plan)
{
    struct boundary boundary = multipart_boundary(plan, &rules);
    char *all = malloc(MULTIPART_ROOM(RANGES_MAX) + plan->length), *at = all;
    for (uint32_t i = 0; i < plan->ranges->count; i++) {
        struct range part = plan->ranges->part[i];
        char *space = malloc(MULTIPART_HEAD_MAX);
        size_t head = multipart_head_write(space, plan, i, &boundary);
        memcpy(at, space, head);
        memcpy(at + head, plan->selected->content + part.offset, part.length);
        at += head + part.length;
        free(space);
    }
    char *space = malloc(MULTIPART_END_MAX);
    size_t end = multipart_end_write(space, &boundary);
    memcpy(at, space, end);
    free(space);
    return (struct text){all, (size_t)(at - all) + end};
}

static void content_free(struct text content)
{
    free((char *)(uintptr_t)content.base);
}

START_TEST(byte_for_byte)
{
    const struct range parts[] = {{0, 2}, {99, 1}};
    struct representation r = *core_representation("small");
    r.version = UINT64_C(0x0706050403020100);
    struct plan plan = plan_of(&r, 2, parts);
    struct text all = content_of(&plan), content = all;
    struct text first = {r.content, 2}, last = {r.content + 99, 1};
    ck_assert(literal_take(
        &content, TEXT("--93f5f5799a932462\r\n" TYPE "Content-Range: bytes 0-1/100\r\n\r\n")));
    ck_assert(literal_take(&content, first));
    ck_assert(literal_take(&content, TEXT("\r\n--93f5f5799a932462\r\n" TYPE
                                          "Content-Range: bytes 99-99/100\r\n\r\n")));
    ck_assert(literal_take(&content, last));
    ck_assert(text_equals(content, TEXT("\r\n--93f5f5799a932462--\r\n")));
    content_free(all);
}
END_TEST

/* Any number of parts, and numbers with any number of digits: the length is right, and the reader finds the parts. */
START_TEST(read_back)
{
    static const uint64_t offsets[] = {0, 8, 11, 98, 101, 998, 1001, 4990};
    const struct representation *r = core_representation("large");
    struct range parts[RANGES_MAX];
    struct read_part got[RANGES_MAX];
    for (uint32_t count = 1; count <= RANGES_MAX; count++) {
        for (uint32_t i = 0; i < count; i++)
            parts[i] = (struct range){(offsets[i % 8] + i / 8) % 4990, 1 + i % 5 * (i % 3)};
        struct plan plan = plan_of(r, count, parts);
        struct boundary boundary = multipart_boundary(&plan, &rules);
        struct text content = content_of(&plan), digits = {boundary.digits, BOUNDARY_DIGITS};
        ck_assert_uint_eq(content.length, multipart_length(&plan));
        ck_assert_int_eq(multipart_read(content, digits, got, RANGES_MAX), (int)count);
        for (uint32_t i = 0; i < count; i++) {
            ck_assert_uint_eq(got[i].first, parts[i].offset);
            ck_assert_uint_eq(got[i].content.length, parts[i].length);
            ck_assert_uint_eq(got[i].complete, 5000);
            ck_assert_mem_eq(got[i].content.base, r->content + parts[i].offset, parts[i].length);
            ck_assert(literal_take(&got[i].head, TEXT(TYPE)));
        }
        content_free(content);
    }
}
END_TEST

/* The longest type and the largest numbers fit, and the length is right. */
START_TEST(longest_head_fits)
{
    static const uint64_t offsets[] = {0, 9, 10, 99, 100, 999999999, 1000000000, INT64_MAX - 1};
    char type[MEDIA_TYPE_MAX], head[PREPARED_HEAD_MAX], space[MULTIPART_HEAD_MAX];
    struct representation r = {.length = INT64_MAX, .fd = 9, .media_type = {type, sizeof(type)}};
    memset(type, 't', sizeof(type));
    representation_prepare_head(&r, head, sizeof(head));
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        const struct range parts[] = {{offsets[i], 1}, {offsets[i], INT64_MAX - offsets[i]}};
        struct plan plan = plan_of(&r, 2, parts);
        struct boundary boundary = multipart_boundary(&plan, &rules);
        uint64_t sum = plan.length;
        for (uint32_t part = 0; part < 2; part++)
            sum += multipart_head_write(space, &plan, part, &boundary);
        sum += multipart_end_write(space, &boundary);
        ck_assert_uint_eq(sum, multipart_length(&plan));
    }
}
END_TEST

static struct text boundary_of(uint64_t version, struct boundary *boundary)
{
    struct representation r = *core_representation("small");
    const struct range parts[] = {{0, 2}, {99, 1}};
    r.version = version;
    struct plan plan = plan_of(&r, 2, parts);
    *boundary = multipart_boundary(&plan, &rules);
    return (struct text){boundary->digits, BOUNDARY_DIGITS};
}

/* Another seed or another version of the file gives another boundary; otherwise it is the same. */
START_TEST(boundary_depends_on_seed_and_version)
{
    struct boundary one, other;
    struct text digits = boundary_of(5, &one);
    ck_assert(text_equals(digits, boundary_of(5, &other)));
    for (int bit = 0; bit < 64; bit++) {
        ck_assert(!text_equals(digits, boundary_of(5 ^ UINT64_C(1) << bit, &other)));
        for (int word = 0; word < 2; word++) {
            rules.seed[word] ^= UINT64_C(1) << bit;
            ck_assert(!text_equals(digits, boundary_of(5, &other)));
            rules.seed[word] ^= UINT64_C(1) << bit;
        }
    }
    for (size_t i = 0; i < BOUNDARY_DIGITS; i++)
        ck_assert_ptr_nonnull(memchr("0123456789abcdef", digits.base[i], 16));
}
END_TEST

/* The reader that these tests use refuses what is wrong. */
START_TEST(reader_is_strict)
{
    static const char *const bad[] = {
        "",
        "--b--\r\n--",
        "\r\n--b\r\nContent-Range: bytes 0-0/9\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Range: bytes 0-0/9\r\n\r\nx\r\n--b--",
        "--b\r\nContent-Range: bytes 0-0/9\r\n\r\nx\r\n--b\r\n",
        "--b\r\nContent-Range: bytes 0-0/9\r\n\r\nx--b--\r\n",
        "--b\r\nContent-Range: bytes 0-0/9\r\n\r\nxy\r\n--b--\r\n",
        "--b\r\nContent-Range: bytes 0-1/9\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Range: bytes 9-9/9\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Range: bytes 0-0/*\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Type: x/y\r\n\r\nx\r\n--b--\r\n",
        "--b\r\nContent-Range: bytes 0-0/9\r\n\r\nx\r\n--b--\r\nx",
    };
    struct read_part part[2];
    const struct text good = TEXT("--b\r\nContent-Range: bytes 0-0/9\r\n\r\nx\r\n--b--\r\n");
    ck_assert_int_eq(multipart_read(good, TEXT("b"), part, 2), 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(multipart_read((struct text){bad[i], strlen(bad[i])}, TEXT("b"), part, 2) < 0,
                      "%zu", i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("multipart");
    TCase *tcase = tcase_create("multipart");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, byte_for_byte);
    tcase_add_test(tcase, read_back);
    tcase_add_test(tcase, longest_head_fits);
    tcase_add_test(tcase, boundary_depends_on_seed_and_version);
    tcase_add_test(tcase, reader_is_strict);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
