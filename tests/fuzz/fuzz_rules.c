/*
 * The first line of an input is a text of rewrite or try_files, the second a requested path, and each other one a rule: a
 * byte that says what the rule sets, and its path as it is written in a configuration. A matcher that tries every way
 * must agree with the server on which rules apply, on the last one that sets each value, and on what the stars of each
 * stand for. The path that the text makes of that must be one that can be looked up.
 */
#include "http/rule.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 600
#define RULES_MAX 70 /* more than one word of bits has */
#define TEXT_MAX 80  /* of a pattern, and of a path */

/* ---- the matcher that tries every way ------------------------------------------------------------ */

struct trial {
    struct text pattern, path;
    bool failed[TEXT_MAX + 1][TEXT_MAX + 1]; /* places from which nothing matches */
    struct text star[TEXT_MAX];
};

/* Whether the pattern from `p` on matches the path from `at` on; `stars` stars were before that. */
static bool matches(struct trial *t, size_t p, size_t at, size_t stars)
{
    if (p == t->pattern.length) return at == t->path.length;
    if (t->failed[p][at]) return false;
    char wanted = t->pattern.base[p];
    if (wanted == '*') {
        bool two = p + 1 < t->pattern.length && t->pattern.base[p + 1] == '*';
        for (size_t end = at; end <= t->path.length; end++) {
            t->star[stars] = (struct text){t->path.base + at, end - at};
            if (matches(t, p + (two ? 2 : 1), end, stars + 1)) return true;
            if (end < t->path.length && !two && t->path.base[end] == '/') break;
        }
    } else if (at < t->path.length) {
        char found = t->path.base[at];
        bool same = wanted == '?' ? found != '/' : wanted == found;
        if (same && matches(t, p + 1, at + 1, stars)) return true;
    }
    t->failed[p][at] = true;
    return false;
}

/* Of several beginnings the first one counts. */
static bool rule_matches(struct trial *t, const struct pattern *pattern, struct text path)
{
    for (size_t at = 0; at <= path.length; at++) {
        if (at > 0 && (!pattern->anywhere || at == path.length || path.base[at - 1] != '/'))
            continue;
        memset(t, 0, sizeof(*t));
        t->pattern = pattern->text;
        t->path = path;
        if (matches(t, 0, at, 0)) return true;
    }
    return false;
}

/* ---- the input ----------------------------------------------------------------------------------- */

struct input {
    struct rule rule[RULES_MAX];
    uint32_t rules;
    struct text path, made;
};

static struct text line_take(struct text *rest)
{
    const char *newline = memchr(rest->base, '\n', rest->length);
    size_t length = newline ? (size_t)(newline - rest->base) : rest->length;
    struct text line = {rest->base, length};
    length += newline != NULL;
    *rest = (struct text){rest->base + length, rest->length - length};
    return line;
}

/* The configuration accepts no title with three stars in a row. */
static void rule_add(struct input *input, struct text line)
{
    if (line.length < 2 || input->rules == RULES_MAX) return;
    struct text title = {line.base + 1, line.length - 1};
    if (memmem(title.base, title.length, "***", 3)) return;
    bool rooted = title.base[0] == '/';
    struct text text = {title.base + rooted, title.length - rooted};
    struct rule *rule = &input->rule[input->rules++];
    *rule = (struct rule){.pattern = pattern_make(text, !rooted)};
    rule->sets =
        (uint16_t)(1U << (unsigned char)line.base[0] % RULE_ALLOW) | (uint16_t)(1U << RULE_TYPE);
    rule->methods = (uint8_t)line.base[0];
}

static void input_read(struct input *input, struct text bytes)
{
    input->rules = 0;
    input->made = line_take(&bytes);
    input->path = line_take(&bytes);
    while (bytes.length > 0)
        rule_add(input, line_take(&bytes));
}

/* ---- the comparison ------------------------------------------------------------------------------ */

/* Whatever is made can be looked up below a root. */
static void made_check(const struct input *input, const struct captures *captures)
{
    char space[300];
    struct text path;
    if (!path_expand(input->made, captures, space, sizeof(space), &path)) return;
    assert(path.base == space && path.length < sizeof(space) && space[path.length] == '\0');
    for (size_t at = 0, begin = 0; at <= path.length; at++) {
        if (at < path.length && space[at] != '/') continue;
        struct text name = {space + begin, at - begin};
        assert(name.length > 0 || at == path.length);
        assert(!text_equals(name, TEXT(".")) && !text_equals(name, TEXT("..")));
        begin = at + 1;
    }
}

static void captures_check(const struct trial *trial, const struct pattern *pattern,
                           const struct captures *captures)
{
    assert(captures->count == pattern->stars);
    for (uint32_t i = 0; i < captures->count && i < CAPTURES_MAX; i++)
        assert(captures->star[i].base == trial->star[i].base &&
               captures->star[i].length == trial->star[i].length);
}

static void verdict_check(const struct input *input, const struct verdict *verdict)
{
    static struct trial trial;
    const struct rule *last[RULE_VALUES] = {NULL};
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < input->rules; i++) {
        const struct rule *rule = &input->rule[i];
        struct captures captures;
        bool applies = rule_matches(&trial, &rule->pattern, input->path);
        assert(pattern_match(&rule->pattern, input->path, &captures) == applies);
        if (!applies) continue;
        assert(verdict_rule(verdict, &cursor) == rule);
        captures_check(&trial, &rule->pattern, &captures);
        made_check(input, &captures);
        for (unsigned value = 0; value < RULE_VALUES; value++)
            if (rule->sets >> value & 1) last[value] = rule;
    }
    assert(!verdict_rule(verdict, &cursor));
    assert(memcmp(last, verdict->by, sizeof(last)) == 0);
    assert(verdict->methods == (last[RULE_METHODS] ? last[RULE_METHODS]->methods : METHODS_ALL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct input input;
    static const struct request request;
    static const struct asker asker;
    if (size > INPUT_MAX) return 0;
    input_read(&input, (struct text){(const char *)data, size});
    if (input.path.length > TEXT_MAX) return 0;
    for (uint32_t i = 0; i < input.rules; i++)
        if (input.rule[i].pattern.text.length > TEXT_MAX) return 0;
    struct site site = {.rule = input.rule, .rules = input.rules};
    struct verdict verdict;
    rule_judge(&site, &request, input.path, &asker, &verdict);
    verdict_check(&input, &verdict);
    return 0;
}
