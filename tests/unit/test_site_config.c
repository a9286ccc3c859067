/*
 * Sites and their rules, which are blocks with titles: what is read into the structure, their order
 * and places, the exact words for what is wrong, also in included files, and the printout read
 * back.
 */
#include "loaded.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/loading.h"
#include "config/option.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define SECOND UINT64_C(1000000000)

static const struct config_site *site_of(const struct config *config)
{
    return (const struct config_site *)config->block.inner;
}

static const struct config_rule *rule_of(const struct config_site *site)
{
    return (const struct config_rule *)site->block.inner;
}

/* ---- what is read ---------------------------------------------------------------------------- */

static const char *const sites = "root = main\n"
                                 "site \"example.org\" {\n"
                                 "    hosts = {example.org, \"*.example.org\"}\n"
                                 "    rule \"/static/*\" {\n"
                                 "        preset = immutable\n"
                                 "        expires = 365d\n"
                                 "    }\n"
                                 "    root = site # after a rule\n"
                                 "    rule \"/old\" { moved = /new }\n"
                                 "}\n"
                                 "cache { size = 1m }\n"
                                 "site other { }\n";

START_TEST(is_read)
{
    struct config *config = load_good(sites);
    const struct config_site *first = site_of(config);
    const struct config_site *second = (const struct config_site *)first->block.next;
    ck_assert_str_eq(config->root, "/etc/z/main");
    ck_assert_uint_eq(config->cache_size, 1 << 20);
    ck_assert_ptr_null(config->block.title);
    ck_assert_ptr_null(config->block.where);
    ck_assert_str_eq(first->block.title, "example.org");
    ck_assert_str_eq(first->block.where, "/etc/z/serve.conf:2");
    ck_assert_uint_eq(first->hosts.count, 2);
    ck_assert_str_eq(first->hosts.item[1], "*.example.org");
    ck_assert_str_eq(first->root, "/etc/z/site");
    ck_assert_str_eq(second->block.title, "other");
    ck_assert_str_eq(second->block.where, "/etc/z/serve.conf:12");
    ck_assert_str_eq(second->root, "");
    ck_assert_uint_eq(second->hosts.count, 0);
    ck_assert_ptr_null(second->block.inner);
    ck_assert_ptr_null(second->block.next);
    config_free(config);
}
END_TEST

START_TEST(rules_are_read)
{
    struct config *config = load_good(sites);
    const struct config_rule *first = rule_of(site_of(config));
    const struct config_rule *second = (const struct config_rule *)first->block.next;
    ck_assert_str_eq(first->block.title, "/static/*");
    ck_assert_str_eq(first->block.where, "/etc/z/serve.conf:4");
    ck_assert_int_eq(first->preset, 1);
    ck_assert_uint_eq(first->expires, 365 * 86400 * SECOND);
    ck_assert_str_eq(first->moved, "");
    ck_assert_str_eq(first->users, "off");
    ck_assert_str_eq(second->block.title, "/old");
    ck_assert_str_eq(second->moved, "/new");
    ck_assert_uint_eq(second->expires, 0);
    ck_assert_int_eq(second->preset, 0);
    ck_assert_ptr_null(second->block.next);
    ck_assert_ptr_null(second->block.inner);
    config_free(config);
}
END_TEST

/* A title may be written as any text. Two titles must differ only within one block. */
START_TEST(titles)
{
    setenv("ZC_TEST", "from outside", 1);
    struct config *config = load_good("site \"${ZC_TEST}\" { rule / {} rule '/\\'' {} }\n"
                                      "site\nb /* here */\n{ rule / {} }");
    const struct config_site *first = site_of(config);
    const struct config_site *second = (const struct config_site *)first->block.next;
    ck_assert_str_eq(first->block.title, "from outside");
    ck_assert_str_eq(rule_of(first)->block.next->title, "/'");
    ck_assert_str_eq(second->block.title, "b");
    ck_assert_str_eq(rule_of(second)->block.title, "/");
    config_free(config);
}
END_TEST

START_TEST(none)
{
    struct config *config = load_good("");
    char *text = printed(config);
    ck_assert_ptr_null(config->block.inner);
    ck_assert_ptr_null(strstr(text, "site"));
    free(text);
    config_free(config);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------- */

static const struct {
    const char *text, *words;
} bad[] = {
    /* names */
    {"site a {\n rule / {\n\n cache_contrl = x\n }\n}",
     "c:4: unknown option 'cache_contrl' (did you mean 'cache_control'?)\n"},
    {"site a {\n rot = x }", "c:2: unknown option 'rot' (did you mean 'root'?)\n"},
    {"site a {\n rul / { expires = 1d } }", "c:2: unknown option 'rul' (did you mean 'rule'?)\n"},
    {"\nsit \"a\" {\n rule / { }\n}\nlisen = 3",
     "c:2: unknown option 'sit' (did you mean 'site'?)\n"
     "c:5: unknown option 'lisen' (did you mean 'listen'?)\n"},
    {"site a { rule / { elephant = x } }", "c:1: unknown option 'elephant'\n"},
    {"site a { rule / { workers = 3 } }", "c:1: 'workers' belongs outside of any block\n"},
    {"site a { rule / { root = x } }", "c:1: 'root' belongs in the block 'site'\n"},
    {"site a { moved = x }", "c:1: 'moved' belongs in the block 'rule'\n"},
    {"moved = x", "c:1: 'moved' belongs in the block 'rule'\n"},
    {"cache { root = x }", "c:1: 'root' belongs outside of any block\n"},
    {"cache { rule / { } }", "c:1: 'rule' belongs in the block 'site' or outside of any block\n"},
    {"rul / { }", "c:1: unknown option 'rul' (did you mean 'rule'?)\n"},
    {"rule / { }\nrule / { }", "c:2: rule \"/\" is a duplicate: c:1 has it already\n"},
    {"rule / { scheme = http }\nrule / { }\nrule / { scheme = https }\nrule / { scheme = http }",
     "c:4: rule \"/\" is a duplicate: c:1 has it already\n"},
    {"rule { }", "c:1: rule needs a title, as in rule \"PATH\" { ... }\n"},
    {"site a { site b { } }", "c:1: 'site' belongs outside of any block\n"},
    {"site a { rule / { rule /b { } } }",
     "c:1: 'rule' belongs in the block 'site' or outside of any block\n"},
    {"cache { site a { } }", "c:1: 'site' belongs outside of any block\n"},
    {"site a { cache { size = 1 } }", "c:1: 'cache' belongs outside of any block\n"},
    {"site a { size = 1 }", "c:1: 'size' belongs in the block 'cache'\n"},
    {"site a { include(\"b\") }",
     "c:1: parentheses outside of quotes are only for include(\"FILE\")\n"},
    {"site a { include = b }", "c:1: 'include' belongs outside of any block\n"},
    {"site.root = x", "c:1: 'site.root' is written site \"NAME\" { root = ... }\n"},
    {"site a { rule_expires = 1d }",
     "c:1: 'rule_expires' is written rule \"PATH\" { expires = ... }\n"},
    /* titles */
    {"site { }", "c:1: site needs a title, as in site \"NAME\" { ... }\n"},
    {"site \"\" { rule '' { } }", "c:1: site needs a title, as in site \"NAME\" { ... }\n"
                                  "c:1: rule needs a title, as in rule \"PATH\" { ... }\n"},
    {"site a { }\n\nsite b { }\nsite \"a\" { rot = 1 }",
     "c:4: site \"a\" is a duplicate: c:1 has it already\n"
     "c:4: unknown option 'rot' (did you mean 'root'?)\n"},
    {"site a {\n rule / { }\n rule /b { }\n rule '/' { }\n}",
     "c:4: rule \"/\" is a duplicate: c:2 has it already\n"},
    {"site \"${ZC_BELL}\" { }", "c:1: the title of site must not contain control characters\n"},
    /* values */
    {"site a { root = x\n root = y }", "c:2: site.root is a duplicate: c:1 sets it already\n"},
    {"site a { rule / { expires = 3 } }",
     "c:1: rule.expires = '3': must be a time from 1s to 365d, such as 250ms, 10s or 5m, or off\n"},
    {"site a { rule / { preset = all } }",
     "c:1: rule.preset = 'all': must be none, immutable or secure\n"},
    {"site a { rule / { users = \"\" } }", "c:1: rule.users = '': must be a path, or off\n"},
    {"site a { root = {b, c} }", "c:1: site.root takes one value, not a list\n"},
    /* writing */
    {"site = a", "c:1: missing opening brace for section 'site'\n"},
    {"site a = 3", "c:1: missing opening brace for section 'site'\n"},
    {"site a", "c:1: premature end of file\n"},
    {"site a(b)", "c:1: parentheses outside of quotes are only for include(\"FILE\")\n"},
    {"site a b {", "c:1: missing opening brace for section 'site'\n"},
    {"\nsite a {\n rule / {\n expires = 1d\n", "c:3: this '{' is not closed\n"},
    {"\nsite a {\n rule / {\n }\n", "c:2: this '{' is not closed\n"},
    {"site a {\n rule / {\n }\n}\n}", "c:5: unexpected closing brace\n"},
    {"site a {\n rule / {\n moved = \"${ZC_NONE}\" } }",
     "c:3: the environment variable ZC_NONE is not set: set it, or give a default, as in "
     "\"${ZC_NONE:-value}\"\n"},
};

START_TEST(is_refused)
{
    setenv("ZC_BELL", "\a", 1);
    unsetenv("ZC_NONE");
    ck_assert_ptr_null(load("c", bad[_i].text, NULL, 0));
    ck_assert_msg(strcmp(said, bad[_i].words) == 0, "%s\nsaid: %s", bad[_i].text, said);
}
END_TEST

/* The command line cannot set options of sites. Those of a rule are for all paths. */
START_TEST(override_is_refused)
{
    struct config_override override = {"site.root", "x", "-o"};
    ck_assert_ptr_null(load(NULL, NULL, &override, 1));
    ck_assert_str_eq(said, "-o: 'site.root' is written site \"NAME\" { root = ... }\n");
    override.name = "rule.type";
    struct config *config = load(NULL, NULL, &override, 1);
    ck_assert_ptr_nonnull(config);
    ck_assert_str_eq(((const struct config_rule *)config->outside.inner)->type, "x");
    config_free(config);
}
END_TEST

START_TEST(many)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    for (int i = 0; i < LOADING_BLOCKS_MAX; i++)
        fprintf(out, "site %d { }\n", i);
    fflush(out);
    config_free(load_good(text));
    fputs("site more { }\n", out);
    fclose(out);
    ck_assert_ptr_null(load("c", text, NULL, 0));
    ck_assert_str_eq(said, "c:4097: more than 4096 sites and rules\n");
    free(text);
}
END_TEST

/* ---- included files -------------------------------------------------------------------------- */

static char directory[] = "/tmp/test_site_config.XXXXXX";

static void directory_make(void)
{
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    ck_assert_int_eq(mkdir("sites", 0700), 0);
}

static void directory_remove(void)
{
    static const char *const names[] = {"serve.conf", "sites/a.conf", "sites"};
    for (int i = 0; i < COUNT(names); i++)
        remove(names[i]);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(remove(directory), 0);
}

static void file_write(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert(fputs(text, file) >= 0);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(included)
{
    file_write("serve.conf", "include(\"sites/a.conf\")\nsite first { }\n");
    file_write("sites/a.conf", "\nsite second {\n root = data\n rule / { users = passwords }\n}\n");
    struct config *config = load("serve.conf", NULL, NULL, 0);
    ck_assert_msg(config != NULL, "%s", said);
    const struct config_site *second = (const struct config_site *)config->block.inner->next;
    ck_assert_str_eq(config->block.inner->title, "first");
    ck_assert_str_eq(second->block.where, "sites/a.conf:2");
    ck_assert_str_eq(second->root + strlen(directory), "/sites/data");
    ck_assert_str_eq(rule_of(second)->users + strlen(directory), "/sites/passwords");
    ck_assert_str_eq(rule_of(second)->block.where, "sites/a.conf:4");
    config_free(config);
}
END_TEST

START_TEST(included_and_wrong)
{
    file_write("serve.conf", "include(\"sites/a.conf\")\nsite a { }\nworkers = 2\n");
    file_write("sites/a.conf", "\nsite a {\n rule / {\n  mved = /b\n }\n}\nsite b {\n");
    ck_assert_ptr_null(load("serve.conf", NULL, NULL, 0));
    ck_assert_str_eq(said,
                     "sites/a.conf:2: site \"a\" is a duplicate: serve.conf:2 has it already\n"
                     "sites/a.conf:4: unknown option 'mved' (did you mean 'moved'?)\n"
                     "sites/a.conf:7: this '{' is not closed\n");
}
END_TEST

/* ---- the printout ---------------------------------------------------------------------------- */

START_TEST(round_trip)
{
    struct config *config =
        load_good("site \"a \\\"b\\\" \\\\ \\${c}\" { rule '#' { fields_set = \"A: b\" } }\n"
                  "site b { rule / { } rule /c { expires = 90s } }");
    char *first = printed(config);
    struct config *back = load_good(first);
    char *second = printed(back);
    ck_assert_str_eq(first, second);
    ck_assert_str_eq(back->block.inner->title, "a \"b\" \\ ${c}");
    ck_assert_ptr_nonnull(strstr(first, "\nsite \"b\" {\n"));
    ck_assert_ptr_nonnull(strstr(first, "\n    rule \"/c\" {\n"));
    ck_assert_ptr_nonnull(strstr(first, "\n        expires = 90s\n"));
    ck_assert_ptr_nonnull(strstr(first, "\n        fields_set = {\"A: b\"}\n"));
    free(first);
    free(second);
    config_free(config);
    config_free(back);
}
END_TEST

/* Each option is printed with its explanation in every block that has it. */
START_TEST(all_is_printed)
{
    struct config *config = load_good("site a { rule / { } }");
    char *text = printed(config);
    for (const struct option_set *set = &options_of_site; set; set = set->inner)
        for (const struct config_option *option = set->option; option < set->end; option++) {
            ck_assert_str_eq(option->section + strlen(set->name), "_");
            ck_assert_msg(strstr(text, option->help) != NULL, "no %s", option->name);
        }
    free(text);
    config_free(config);
}
END_TEST

/* ---- the tables ------------------------------------------------------------------------------ */

/* config_print() prints a section once, so that the options of a section must stand together. */
START_TEST(sections_stand_together)
{
    const struct option_set *set = &options_of_config;
    for (const struct config_option *a = set->option; a < set->end; a++)
        for (const struct config_option *b = set->option; b < a; b++)
            if (a->section[0] && strcmp(a->section, b->section) == 0)
                ck_assert_str_eq(a[-1].section, a->section);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("site_config");
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, is_read);
    tcase_add_test(texts, rules_are_read);
    tcase_add_test(texts, titles);
    tcase_add_test(texts, none);
    tcase_add_loop_test(texts, is_refused, 0, COUNT(bad));
    tcase_add_test(texts, override_is_refused);
    tcase_add_test(texts, many);
    tcase_add_test(texts, round_trip);
    tcase_add_test(texts, all_is_printed);
    tcase_add_test(texts, sections_stand_together);
    suite_add_tcase(suite, texts);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, directory_make, directory_remove);
    tcase_add_test(files, included);
    tcase_add_test(files, included_and_wrong);
    suite_add_tcase(suite, files);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
