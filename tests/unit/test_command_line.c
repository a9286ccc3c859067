/*
 * The command line: what each line of arguments asks for, the exact words for what is wrong, and
 * the help, which names every switch and stays within a terminal's width.
 */
#define _GNU_SOURCE /* for memfd_create */
#include "skip.h"
#include "zcserve/command_line.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/switch.h"
#include "config/version.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define ARGUMENTS_MAX 80

static struct command_line line;
static char words[4096]; /* the arguments, each ended by a NUL */
static char printed[8192], told[4096];

/* Restores `fd` from `saved`, and reads what was written to the memory file in its place. */
static void output_take(int fd, int memory, int saved, char *text, size_t room)
{
    ck_assert_int_ge(dup2(saved, fd), 0);
    ssize_t length = pread(memory, text, room - 1, 0);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    close(saved);
    close(memory);
}

static int output_catch(int fd, int *saved)
{
    int memory = memfd_create("output", MFD_CLOEXEC);
    *saved = dup(fd);
    ck_assert(memory >= 0 && *saved >= 0);
    ck_assert_int_ge(dup2(memory, fd), 0);
    return memory;
}

static int arguments_read(int argc, char **argv)
{
    int saved_out;
    int saved_error;
    fflush(stdout);
    int out = output_catch(STDOUT_FILENO, &saved_out);
    int error = output_catch(STDERR_FILENO, &saved_error);
    int code = command_line_read(argc, argv, &line);
    fflush(stdout);
    output_take(STDOUT_FILENO, out, saved_out, printed, sizeof printed);
    output_take(STDERR_FILENO, error, saved_error, told, sizeof told);
    return code;
}

/* Reads a line of arguments that are separated by single spaces. */
static int line_read(const char *text)
{
    char *argv[ARGUMENTS_MAX + 1] = {NULL};
    int argc = 0;
    snprintf(words, sizeof words, "%s", text);
    for (char *rest = words, *word; (word = strsep(&rest, " ")); argc++) {
        ck_assert_int_lt(argc, ARGUMENTS_MAX);
        argv[argc] = word;
    }
    return arguments_read(argc, argv);
}

/* Returns "-p listen=127.0.0.1:80;" for each override, in their order. */
static const char *overrides_text(void)
{
    static char text[4096];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < line.override_count; i++) {
        const struct config_override *one = line.overrides + i;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s=%s;", one->from, one->name,
                                 one->value);
    }
    return text;
}

static const struct {
    const char *line;
    enum command command;
    const char *file, *overrides;
} good[] = {
    {"zcserve site", COMMAND_SERVE, NULL, "DIR root=site;"},
    {"zcserve -p 0 site", COMMAND_SERVE, NULL, "-p listen=127.0.0.1:0;DIR root=site;"},
    {"zcserve site -p 80", COMMAND_SERVE, NULL, "-p listen=127.0.0.1:80;DIR root=site;"},
    {"zcserve -p65535 site", COMMAND_SERVE, NULL, "-p listen=127.0.0.1:65535;DIR root=site;"},
    {"zcserve --port=080 site", COMMAND_SERVE, NULL, "-p listen=127.0.0.1:80;DIR root=site;"},
    {"zcserve -p 1 -p 2 .", COMMAND_SERVE, NULL,
     "-p listen=127.0.0.1:1;-p listen=127.0.0.1:2;DIR root=.;"},
    {"zcserve -c a.conf", COMMAND_SERVE, "a.conf", ""},
    {"zcserve --config a.conf site", COMMAND_SERVE, "a.conf", "DIR root=site;"},
    {"zcserve -c a.conf -l 80 --listen [::1]:81 -m epoll -w auto", COMMAND_SERVE, "a.conf",
     "-l listen=80;-l listen=[::1]:81;-m model=epoll;-w workers=auto;"},
    {"zcserve -c a.conf --workers=4 --model=x", COMMAND_SERVE, "a.conf",
     "-w workers=4;-m model=x;"},
    {"zcserve -c a.conf -o cache.size=1g --option server=a=b -o server=", COMMAND_SERVE, "a.conf",
     "-o cache.size=1g;-o server=a=b;-o server=;"},
    {"zcserve -t -c a.conf", COMMAND_TEST, "a.conf", ""},
    {"zcserve --test -c a.conf", COMMAND_TEST, "a.conf", ""},
    {"zcserve -T -c a.conf", COMMAND_PRINT, "a.conf", ""},
    {"zcserve -Ttc a.conf", COMMAND_PRINT, "a.conf", ""},
    {"zcserve -tT -c a.conf", COMMAND_PRINT, "a.conf", ""},
    {"zcserve --print -c a.conf", COMMAND_PRINT, "a.conf", ""},
    {"zcserve -c a.conf -c b.conf", COMMAND_SERVE, "b.conf", ""},
    {"zcserve -- -site", COMMAND_SERVE, NULL, "DIR root=-site;"},
    {"zcserve --open site", COMMAND_SERVE, NULL, "DIR root=site;--open listen=*:8080;"},
    {"zcserve -O -p 81 site", COMMAND_SERVE, NULL, "-p listen=*:81;DIR root=site;"},
    {"zcserve -p65535 -p 0 -O site", COMMAND_SERVE, NULL,
     "-p listen=*:65535;-p listen=*:0;DIR root=site;"},
    {"zcserve -O -l 127.0.0.1:81 -o server= site", COMMAND_SERVE, NULL,
     "-l listen=127.0.0.1:81;-o server=;DIR root=site;"},
    {"zcserve -O -c a.conf", COMMAND_SERVE, "a.conf", ""},
    {"zcserve --listing --spa site", COMMAND_SERVE, NULL,
     "--listing rule.listing=on;--spa --spa=on;DIR root=site;"},
    {"zcserve -LsC site", COMMAND_SERVE, NULL,
     "--listing rule.listing=on;--spa --spa=on;--cors rule.cors=*;DIR root=site;"},
    {"zcserve --cors site", COMMAND_SERVE, NULL, "--cors rule.cors=*;DIR root=site;"},
    {"zcserve --cors=null -Chttp://a site", COMMAND_SERVE, NULL,
     "--cors rule.cors=null;--cors rule.cors=http://a;DIR root=site;"},
    {"zcserve --cache-control no-cache -K x site", COMMAND_SERVE, NULL,
     "--cache-control rule.cache_control=no-cache;--cache-control rule.cache_control=x;DIR "
     "root=site;"},
    {"zcserve -c a.conf --explain /a", COMMAND_EXPLAIN, "a.conf", ""},
    {"zcserve -E /a A:b site C:", COMMAND_EXPLAIN, NULL, "DIR root=site;"},
    {"zcserve -E /a ./A:b", COMMAND_EXPLAIN, NULL, "DIR root=./A:b;"},
    {"zcserve A:b", COMMAND_SERVE, NULL, "DIR root=A:b;"},
};

START_TEST(is_read)
{
    ck_assert_int_eq(line_read(good[_i].line), 0);
    ck_assert_str_eq(told, "");
    ck_assert_str_eq(printed, "");
    ck_assert_int_eq((int)line.command, (int)good[_i].command);
    ck_assert_str_eq(overrides_text(), good[_i].overrides);
    ck_assert_ptr_nonnull(line.reason);
    if (good[_i].file) {
        ck_assert_ptr_nonnull(line.config_file);
        ck_assert_str_eq(line.config_file, good[_i].file);
    } else {
        ck_assert_ptr_null(line.config_file);
    }
}
END_TEST

START_TEST(request_is_read)
{
    ck_assert_int_eq(line_read("zcserve A:b -E /a -X HEAD -F ::1 site C: -t D:e"), 0);
    ck_assert_str_eq(line.asked.url, "/a");
    ck_assert_str_eq(line.asked.method, "HEAD");
    ck_assert_str_eq(line.asked.from, "::1");
    ck_assert_uint_eq(line.asked.fields, 3);
    ck_assert_str_eq(line.asked.field[0], "A:b");
    ck_assert_str_eq(line.asked.field[1], "C:");
    ck_assert_str_eq(line.asked.field[2], "D:e");
}
END_TEST

/* Without arguments, the machine decides between two results. */
START_TEST(bare)
{
    ck_assert_int_eq(line_read("zcserve"), 0);
    ck_assert_int_eq((int)line.command, COMMAND_SERVE);
    if (access(ZCSERVE_CONFIG_FILE, F_OK) == 0) {
        ck_assert_str_eq(line.config_file, ZCSERVE_CONFIG_FILE);
        ck_assert_str_eq(overrides_text(), "");
        ck_assert_ptr_nonnull(strstr(line.reason, "of this machine"));
    } else {
        ck_assert_ptr_null(line.config_file);
        ck_assert_str_eq(overrides_text(), "DIR root=.;");
        ck_assert_ptr_nonnull(strstr(line.reason, "serving the current directory"));
    }
}
END_TEST

/* A root that was set, even to an empty text, is not replaced by the current directory. */
START_TEST(root_by_its_name)
{
    SKIP_IF(access(ZCSERVE_CONFIG_FILE, F_OK) == 0,
            "there is a " ZCSERVE_CONFIG_FILE ", which is read");
    ck_assert_int_eq(line_read("zcserve -o root=site"), 0);
    ck_assert_str_eq(overrides_text(), "-o root=site;");
    ck_assert_ptr_nonnull(strstr(line.reason, "serving the root given"));
    ck_assert_int_eq(line_read("zcserve -o root="), 0);
    ck_assert_str_eq(overrides_text(), "-o root=;");
}
END_TEST

#define TRY "\ntry 'zcserve -h'\n"

static const struct {
    const char *line, *words;
} bad[] = {
    {"zcserve -x", "zcserve: unknown switch '-x'" TRY},
    {"zcserve -tx", "zcserve: unknown switch '-x'" TRY},
    {"zcserve --xyz", "zcserve: unknown switch '--xyz'" TRY},
    {"zcserve --xyz=3", "zcserve: unknown switch '--xyz=3'" TRY},
    {"zcserve -p", "zcserve: an argument is missing after '-p'" TRY},
    {"zcserve --port", "zcserve: an argument is missing after '--port'" TRY},
    {"zcserve --test=3", "zcserve: no argument is taken by '--test=3'" TRY},
    {"zcserve -p 65536", "zcserve: -p takes a port from 0 to 65535, not '65536'" TRY},
    {"zcserve -p -1", "zcserve: -p takes a port from 0 to 65535, not '-1'" TRY},
    {"zcserve -p http", "zcserve: -p takes a port from 0 to 65535, not 'http'" TRY},
    {"zcserve -o size", "zcserve: -o takes NAME=VALUE, not 'size'" TRY},
    {"zcserve -o =1", "zcserve: -o takes NAME=VALUE, not '=1'" TRY},
    {"zcserve a b", "zcserve: only one directory can be served, not also 'b'" TRY},
    {"zcserve ", "zcserve: the directory's name is empty" TRY},
    {"zcserve --listing=on", "zcserve: no argument is taken by '--listing=on'" TRY},
    {"zcserve --cache-control", "zcserve: an argument is missing after '--cache-control'" TRY},
    {"zcserve -X GET site", "zcserve: only for --explain: '--method'" TRY},
    {"zcserve -F ::1 site", "zcserve: only for --explain: '--from'" TRY},
};

START_TEST(is_refused)
{
    ck_assert_int_eq(line_read(bad[_i].line), 2);
    ck_assert_int_eq((int)line.command, COMMAND_DONE);
    ck_assert_str_eq(told, bad[_i].words);
    ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(too_many)
{
    char text[1024] = "zcserve -c a.conf";
    for (int i = 0; i < COMMAND_LINE_OVERRIDES_MAX; i++)
        strcat(text, " -w1");
    ck_assert_int_eq(line_read(text), 0);
    ck_assert_int_eq((int)line.override_count, COMMAND_LINE_OVERRIDES_MAX);
    strcat(text, " -w1");
    ck_assert_int_eq(line_read(text), 2);
    ck_assert_str_eq(told, "zcserve: too many switches" TRY);
}
END_TEST

START_TEST(help)
{
    ck_assert_int_eq(line_read("zcserve -h"), 0);
    ck_assert_int_eq((int)line.command, COMMAND_DONE);
    for (const struct command_switch *one = switch_table; one->letter; one++) {
        char text[64];
        snprintf(text, sizeof text, "\n  -%c%s%s", one->letter, one->word ? ", --" : " ",
                 one->word ? one->word : "");
        ck_assert_msg(strstr(printed, text) != NULL, "no %s", text);
        ck_assert_ptr_nonnull(strstr(printed, one->help));
    }
    static const char *const parts[] = {"usage:",  "examples:", "exit codes:",      "signals:",
                                        "\n  78 ", "\n  USR1 ", ZCSERVE_CONFIG_FILE};
    for (int i = 0; i < COUNT(parts); i++)
        ck_assert_msg(strstr(printed, parts[i]) != NULL, "no %s", parts[i]);
    for (const char *p = printed; *p; p += strcspn(p, "\n") + 1)
        ck_assert_msg(strcspn(p, "\n") <= 100, "too long: %s", p);
}
END_TEST

START_TEST(versions)
{
    ck_assert_int_eq(line_read("zcserve -v"), 0);
    ck_assert_int_eq((int)line.command, COMMAND_DONE);
    ck_assert_int_eq(strncmp(printed, "zcserve ", 8), 0);
    ck_assert_ptr_eq(strchr(printed, '\n'), strrchr(printed, '\n'));
    char first[sizeof printed];
    snprintf(first, sizeof first, "%s", printed);
    ck_assert_int_eq(line_read("zcserve --version"), 0);
    ck_assert_str_eq(printed, first);
    ck_assert_int_eq(line_read("zcserve -V"), 0);
    ck_assert_int_eq(strncmp(printed, first, strlen(first)), 0);
    ck_assert_ptr_nonnull(strstr(printed, "epoll"));
}
END_TEST

/* Each switch must set an existing option: otherwise, for example, -w would always fail. */
START_TEST(switches_set_options)
{
    for (const struct command_switch *one = switch_table; one->letter; one++) {
        if (!one->sets) continue;
        struct config_override given = {one->sets, "/", one->told};
        char *text = NULL;
        size_t length;
        FILE *errors = open_memstream(&text, &length);
        config_free(config_load(NULL, &given, 1, errors));
        fclose(errors);
        ck_assert_msg(strstr(text, "unknown option") == NULL, "%s", text);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command_line");
    TCase *cases = tcase_create("command_line");
    tcase_add_loop_test(cases, is_read, 0, COUNT(good));
    tcase_add_test(cases, request_is_read);
    tcase_add_test(cases, bare);
    tcase_add_test(cases, root_by_its_name);
    tcase_add_loop_test(cases, is_refused, 0, COUNT(bad));
    tcase_add_test(cases, too_many);
    tcase_add_test(cases, help);
    tcase_add_test(cases, versions);
    tcase_add_test(cases, switches_set_options);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
