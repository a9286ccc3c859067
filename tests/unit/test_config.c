/*
 * Configurations: what is read into the structure, the exact words for what is wrong and where,
 * files and includes on a real disk, the printout read back, and that conf/serve.conf names every
 * option with its default.
 */
#include "loaded.h"

#include <check.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/loading.h"
#include "config/option.h"

#define EACH(option)                                               \
    const struct config_option *option = options_of_config.option; \
    option < options_of_config.end;                                \
    option++
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define MS UINT64_C(1000000)

/* Returns the value of an option as it would stand in a file. */
static char *written(const struct config_option *option, const struct config *config)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    option_write(option, &config->block, out);
    fclose(out);
    return text;
}

/* ---- what is read ---------------------------------------------------------------------------- */

START_TEST(place_of_an_option)
{
    struct config_override overrides[] = {{"workers", "3", "-w"}};
    const char *text = "\n# two\nroot = x\ncache {\n  size = 1m\n}\n";
    struct config *config = load("/etc/z/serve.conf", text, overrides, 1);
    ck_assert_str_eq(config_place(config, &config->root), "/etc/z/serve.conf:3");
    ck_assert_str_eq(config_place(config, &config->cache_size), "/etc/z/serve.conf:5");
    ck_assert_str_eq(config_place(config, &config->workers), "-w");
    ck_assert_str_eq(config_place(config, &config->listen), "default");
    config_free(config);
}
END_TEST

START_TEST(defaults)
{
    struct config *config = load(NULL, NULL, NULL, 0);
    char here[4096];
    ck_assert_ptr_nonnull(config);
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_ptr_null(config->file);
    ck_assert_uint_eq(config->listen.count, 1);
    ck_assert_str_eq(config->listen.item[0], "127.0.0.1:8080");
    ck_assert_ptr_null(config->listen.item[1]);
    ck_assert_uint_eq(config->workers, 0);
    ck_assert_uint_eq(config->cache_size, UINT64_C(64) << 20);
    ck_assert_uint_eq(config->timeouts_head, 10000 * MS);
    ck_assert_uint_eq(config->sidecars.count, 3);
    ck_assert_str_eq(config->access_log, "off");
    ck_assert_str_eq(config->error_log, "stderr");
    ck_assert_str_eq(config->mime_types, "");
    ck_assert_int_eq(config->model, MODEL_AUTO);
    ck_assert(config->keep_alive && !config->hidden);
    ck_assert_int_eq(strncmp(config->root, here, strlen(here)), 0);
    ck_assert_str_eq(config->root + strlen(here), "/www");
    config_free(config);
}
END_TEST

/* A text, and the value of one option after it was read. */
static const struct {
    const char *text, *name, *value;
} good[] = {
    {"", "workers", "auto"},
    {"workers = 4", "workers", "4"},
    {"index = {..., .x, x.}", "index", "{\"...\", \".x\", \"x.\"}"},
    {"workers = \"4\"", "workers", "4"},
    {"workers = '4'", "workers", "4"},
    {"workers=4", "workers", "4"},
    {"workers\n=\n# why\n4", "workers", "4"},
    {"workers = {4}", "workers", "4"},
    {"workers = auto", "workers", "auto"},
    {"\xEF\xBB\xBFworkers = 4\r\n", "workers", "4"},
    {"workers = 1024", "workers", "1024"},
    {"workers = 0004", "workers", "4"},
    {"/* a */ workers /* b\n */ = /**/ 4 // c", "workers", "4"},
    {"//c\nworkers = 4#c", "workers", "4"},
    {"cache { size = 64k }", "cache.size", "64k"},
    {"cache { size = 64K }", "cache.size", "64k"},
    {"cache { size = 65536 }", "cache.size", "64k"},
    {"cache { size = 0 }", "cache.size", "0"},
    {"cache { size = 1t }", "cache.size", "1t"},
    {"cache {\n size = 3g\n}\ncache { absent = 3 }", "cache.size", "3g"},
    {"timeouts { head = 250ms }", "timeouts.head", "250ms"},
    {"timeouts { head = 90s }", "timeouts.head", "90s"},
    {"timeouts { head = 60s }", "timeouts.head", "1m"},
    {"timeouts { head = 24h }", "timeouts.head", "1d"},
    {"pin_cpus = on", "pin_cpus", "on"},
    {"pin_cpus = yes", "pin_cpus", "on"},
    {"pin_cpus = true", "pin_cpus", "on"},
    {"keep_alive = no", "keep_alive", "off"},
    {"keep_alive = false", "keep_alive", "off"},
    {"log_level = debug", "log_level", "debug"},
    {"log { format = json }", "log.format", "json"},
    {"symlinks = never", "symlinks", "never"},
    {"listen = 8080", "listen", "{\"8080\"}"},
    {"listen = [::1]:80", "listen", "{\"[::1]:80\"}"},
    {"listen = unix:/run/z//s", "listen", "{\"unix:/run/z//s\"}"},
    {"listen = {\"a\", # one\n b, 'c',}", "listen", "{\"a\", \"b\", \"c\"}"},
    {"sidecars = {}", "sidecars", "{}"},
    {"sidecars = {\n# none\n}", "sidecars", "{}"},
    {"sidecars = \"\"", "sidecars", "{}"},
    {"sidecars = {gz, br}", "sidecars", "{\"gz\", \"br\"}"},
    {"server = \"\"", "server", "\"\""},
    {"server = 'a\\b'", "server", "\"a\\\\b\""},
    {"server = 'a\\'\\\\b'", "server", "\"a'\\\\b\""},
    {"server = \"a\tb\"", "server", "\"a b\""},
    {"server = \"a$b$\"", "server", "\"a\\$b\\$\""},
    {"server = a/b//c", "server", "\"a/b//c\""},
    {"\"workers\" = 4", "workers", "4"},
    {"server = \"<${ZC_NONE:-a:-{b'}>\"", "server", "\"<a:-{b'>\""},
    {"server = \"a\\\"\\\\\\$b\"", "server", "\"a\\\"\\\\\\$b\""},
    {"server = \"# { } = ; + *\"", "server", "\"# { } = ; + *\""},
    {"server = \"<${ZC_TEST}>\"", "server", "\"<from outside>\""},
    {"server = \"<${ZC_NONE:-}${ZC_EMPTY}>\"", "server", "\"<>\""},
    {"# \"${ZC_NONE}\"\n/* \"${ZC_NONE}\" */ // \"${ZC_NONE}\"", "server", "\"zcserve\""},
    {"server = '${ZC_NONE}'", "server", "\"\\${ZC_NONE}\""},
    {"server = \"\\${ZC_NONE}\"", "server", "\"\\${ZC_NONE}\""},
    {"root = off", "root", "\"/etc/z/off\""},
    {"root = stderr", "root", "\"/etc/z/stderr\""},
    {"mime_types = -", "mime_types", "\"/etc/z/-\""},
    {"error_log = ./off", "error_log", "\"/etc/z/off\""},
    {"server = \"<${ZC_NONE:-80}>\"", "server", "\"<80>\""},
    {"root = site", "root", "\"/etc/z/site\""},
    {"root = ../www", "root", "\"/etc/z/../www\""},
    {"root = ./site", "root", "\"/etc/z/site\""},
    {"root = .//site", "root", "\"/etc/z/site\""},
    {"root = .", "root", "\"/etc/z\""},
    {"root = ./", "root", "\"/etc/z\""},
    {"root = /", "root", "\"/\""},
    {"root = \"/srv/a b\"", "root", "\"/srv/a b\""},
    {"access_log = -", "access_log", "\"-\""},
    {"access_log = off", "access_log", "\"off\""},
    {"access_log = ./off", "access_log", "\"/etc/z/off\""},
    {"access_log = a.log", "access_log", "\"/etc/z/a.log\""},
    {"error_log = stderr", "error_log", "\"stderr\""},
    {"mime_types = \"\"", "mime_types", "\"\""},
};

START_TEST(is_read)
{
    setenv("ZC_TEST", "from outside", 1);
    unsetenv("ZC_NONE");
    setenv("ZC_EMPTY", "", 1);
    struct config *config = load_good(good[_i].text);
    const struct config_option *option = option_find_dotted(&options_of_config, good[_i].name);
    ck_assert_ptr_nonnull(option);
    char *value = written(option, config);
    ck_assert_msg(strcmp(value, good[_i].value) == 0, "%s: %s", good[_i].text, value);
    ck_assert_str_eq(config->file, "/etc/z/serve.conf");
    free(value);
    config_free(config);
}
END_TEST

START_TEST(fields)
{
    struct config *config =
        load_good("timeouts { idle = 250ms }\nlimits { head = 8k\n fields = 7 }\n"
                  "symlinks = never\nlog_level = error\nhidden = on\nindex = {a, b}\n");
    ck_assert_uint_eq(config->timeouts_idle, 250 * MS);
    ck_assert_uint_eq(config->limits_head, 8192);
    ck_assert_uint_eq(config->limits_fields, 7);
    ck_assert_int_eq(config->symlinks, 1);
    ck_assert_int_eq(config->log_level, 0);
    ck_assert(config->hidden);
    ck_assert_uint_eq(config->index.count, 2);
    ck_assert_str_eq(config->index.item[1], "b");
    ck_assert_ptr_null(config->index.item[2]);
    config_free(config);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------- */

#define COUNT_WORDS "must be a whole number from 1 to 1024, or auto\n"
#define RANGES_WORDS "must be a whole number from 1 to 64\n"
#define SIZE_WORDS "must be a size from 0 to 1t, such as 512, 64k or 1m\n"
#define TIME_WORDS "must be a time from 1ms to 1d, such as 250ms, 10s or 5m\n"
#define OPEN_TEXT "this text is not closed on its line\n"
#define ESCAPE "only \\\\, \\\" and \\$ may follow a backslash in double quotes\n"
#define PARENTHESES "parentheses outside of quotes are only for include(\"FILE\")\n"

#define INDEX_WORDS "must be one name, without '/' and of at most 255 bytes, and not '.' or '..'\n"
#define NO_VARIABLE                                                                  \
    "the environment variable ZC_NONE is not set: set it, or give a default, as in " \
    "\"${ZC_NONE:-value}\"\n"
#define NO_ROOT "root = '': must be a path that is not empty\n"

static const struct {
    const char *text, *words;
} bad[] = {
    /* wrong names */
    {"\n\nlisen = 80", "c:3: unknown option 'lisen' (did you mean 'listen'?)\n"},
    {"wrokers = 80", "c:1: unknown option 'wrokers' (did you mean 'workers'?)\n"},
    {"elephant = 80", "c:1: unknown option 'elephant'\n"},
    {"cahce {\n size = 1 }", "c:1: unknown option 'cahce' (did you mean 'cache'?)\n"},
    {"cache { siz = 1 }", "c:1: unknown option 'siz' (did you mean 'size'?)\n"},
    {"size = 64m", "c:1: 'size' belongs in the block 'cache'\n"},
    {"cache {\n\n head = 1s }", "c:3: 'head' belongs in the block 'timeouts' or 'limits'\n"},
    {"cache { workers = 2 }", "c:1: 'workers' belongs outside of any block\n"},
    {"cache_size = 64m", "c:1: 'cache_size' is written cache { size = ... }\n"},
    {"cache.size = 64m", "c:1: 'cache.size' is written cache { size = ... }\n"},
    {"\"cache|size\" = 1", "c:1: unknown option 'cache|size'\n"},
    {"inclde(\"x\")", "c:1: " PARENTHESES},
    {"inclde = x", "c:1: unknown option 'inclde' (did you mean 'include'?)\n"},
    {"cache { include = x }", "c:1: 'include' belongs outside of any block\n"},
    {"cache { log { format = json } }", "c:1: 'log' belongs outside of any block\n"},
    {"cahce {\n siz = { 1 }\n { } }\nwrokers = 3",
     "c:1: unknown option 'cahce' (did you mean 'cache'?)\n"
     "c:4: unknown option 'wrokers' (did you mean 'workers'?)\n"},
    {"wrokers 4\nlisen 4\n", "c:1: unknown option 'wrokers' (did you mean 'workers'?)\n"
                             "c:2: unknown option 'lisen' (did you mean 'listen'?)\n"},
    {"wrokers\nhidden = 3\n", "c:1: unknown option 'wrokers' (did you mean 'workers'?)\n"
                              "c:2: hidden = '3': must be on or off\n"},
    {"\"\" = 4", "c:1: an option's name is missing\n"},
    {"lisen = {a, b}\nworkrs = 3\ncache { siz = 1 }",
     "c:1: unknown option 'lisen' (did you mean 'listen'?)\n"
     "c:2: unknown option 'workrs' (did you mean 'workers'?)\n"
     "c:3: unknown option 'siz' (did you mean 'size'?)\n"},
    /* wrong values */
    {"workers = many", "c:1: workers = 'many': " COUNT_WORDS},
    {"workers = 0", "c:1: workers = '0': " COUNT_WORDS},
    {"workers = 1025", "c:1: workers = '1025': " COUNT_WORDS},
    {"workers = -1", "c:1: workers = '-1': " COUNT_WORDS},
    {"workers = 0x4", "c:1: workers = '0x4': " COUNT_WORDS},
    {"workers = 4k", "c:1: workers = '4k': " COUNT_WORDS},
    {"workers = \" 4\"", "c:1: workers = ' 4': " COUNT_WORDS},
    {"workers = \"\"", "c:1: workers = '': " COUNT_WORDS},
    {"workers = {}", "c:1: workers = '': " COUNT_WORDS},
    {"workers = 18446744073709551617", "c:1: workers = '18446744073709551617': " COUNT_WORDS},
    {"connections = auto", "c:1: connections = 'auto': must be a whole number from 1 to 1000000\n"},
    {"limits { ranges = 0 }", "c:1: limits.ranges = '0': " RANGES_WORDS},
    {"limits { ranges = 65 }", "c:1: limits.ranges = '65': " RANGES_WORDS},
    {"cache { size = 12q }", "c:1: cache.size = '12q': " SIZE_WORDS},
    {"cache { size = 64mb }", "c:1: cache.size = '64mb': " SIZE_WORDS},
    {"cache { size = 1.5g }", "c:1: cache.size = '1.5g': " SIZE_WORDS},
    {"cache { size = 1025g }", "c:1: cache.size = '1025g': " SIZE_WORDS},
    {"cache { size = 17179869184g }", "c:1: cache.size = '17179869184g': " SIZE_WORDS},
    {"cache { size = 16777217t }", "c:1: cache.size = '16777217t': " SIZE_WORDS},
    {"timeouts { head = 10 }", "c:1: timeouts.head = '10': " TIME_WORDS},
    {"timeouts { head = 0s }", "c:1: timeouts.head = '0s': " TIME_WORDS},
    {"timeouts { head = 25h }", "c:1: timeouts.head = '25h': " TIME_WORDS},
    {"timeouts { head = 1m30s }", "c:1: timeouts.head = '1m30s': " TIME_WORDS},
    {"pin_cpus = maybe", "c:1: pin_cpus = 'maybe': must be on or off\n"},
    {"pin_cpus = \"on|yes\"", "c:1: pin_cpus = 'on|yes': must be on or off\n"},
    {"model = threads",
     "c:1: model = 'threads': must be auto, prefork, threadpool, epoll or io_uring\n"},
    {"symlinks = all", "c:1: symlinks = 'all': must be beneath, never, inside or owner\n"},
    {"log_level = loud", "c:1: log_level = 'loud': must be error, warn, notice, info or debug\n"},
    {"listen = {}", "c:1: listen = '': must be a list of 1 to 16 texts, none empty\n"},
    {"listen = {a, \"\"}", "c:1: listen = 'a, ': must be a list of 1 to 16 texts, none empty\n"},
    {"sidecars = {br, xz}",
     "c:1: sidecars = 'br, xz': must be a list of 0 to 3 texts, none empty, each br, zst or gz\n"},
    {"sidecars = {br, br}", "c:1: sidecars has the same member twice\n"},
    {"workers = {1, 2}", "c:1: workers takes one value, not a list\n"},
    {"root = {a, b}", "c:1: root takes one value, not a list\n"},
    {"server = \"${ZC_BELL}\"", "c:1: server must not contain control characters\n"},
    {"limits { target = 20k\n}", "c:1: limits.target must not be larger than limits.head, of which "
                                 "it is a part\n"},
    {"limits { head = 256 }", "c:1: limits.target must not be larger than limits.head, of which it "
                              "is a part\n"},
    /* an index must be a single name */
    {"index = \"web/index.html\"", "c:1: index = 'web/index.html': " INDEX_WORDS},
    {"\nindex = {index.html,\n \"web/index.html\"}", "c:2: index = 'web/index.html': " INDEX_WORDS},
    {"index = \"/index.html\"", "c:1: index = '/index.html': " INDEX_WORDS},
    {"index = \"index.html/\"", "c:1: index = 'index.html/': " INDEX_WORDS},
    {"index = \"./index.html\"", "c:1: index = './index.html': " INDEX_WORDS},
    {"index = \"../index.html\"", "c:1: index = '../index.html': " INDEX_WORDS},
    {"index = \"/\"", "c:1: index = '/': " INDEX_WORDS},
    {"index = \".\"", "c:1: index = '.': " INDEX_WORDS},
    {"index = {a, \"..\"}", "c:1: index = '..': " INDEX_WORDS},
    {"index = \"\"", "c:1: index = '': must be a list of 1 to 16 texts, none empty\n"},
    {"index = {}", "c:1: index = '': must be a list of 1 to 16 texts, none empty\n"},
    {"index = {a, \"\"}", "c:1: index = 'a, ': must be a list of 1 to 16 texts, none empty\n"},
    {"workers = 1\n\nworkers = 2", "c:3: workers is a duplicate: c:1 sets it already\n"},
    {"listen = a\nlisten = {b, c}", "c:2: listen is a duplicate: c:1 sets it already\n"},
    {"cache { size = 1 }\ncache { size = 1 }",
     "c:2: cache.size is a duplicate: c:1 sets it already\n"},
    {"workers = many\npin_cpus = 3\n",
     "c:1: workers = 'many': " COUNT_WORDS "c:2: pin_cpus = '3': must be on or off\n"},
    /* wrong syntax */
    {"workers 4", "c:1: missing equal sign after option 'workers'\n"},
    {"workers =\n", "c:2: premature end of file\n"},
    {"workers = }", "c:1: unexpected token '}'\n"},
    {"cache = 4", "c:1: missing opening brace for section 'cache'\n"},
    {"\n}", "c:2: unexpected closing brace\n"},
    {"workers = 1\ncache {\n size = 3\n", "c:2: this '{' is not closed\n"},
    {"listen = {a, b\n", "c:1: this '{' is not closed\n"},
    {"listen = {a b}", "c:1: unexpected token 'b'\n"},
    {"server = \"abc\nworkers = 4\"", "c:1: " OPEN_TEXT},
    {"server = \"abc", "c:1: " OPEN_TEXT},
    {"\nserver = 'abc", "c:2: " OPEN_TEXT},
    {"server = \"abc\\\"", "c:1: " OPEN_TEXT},
    {"server = \"abc\\", "c:1: " ESCAPE},
    {"server = 'abc\\'", "c:1: " OPEN_TEXT},
    {"server = \"\\x41\"", "c:1: " ESCAPE},
    {"server = \"\\901\"", "c:1: " ESCAPE},
    {"server = \"${A\"", "c:1: '${' is not closed by '}'\n"},
    /* variables: one that is not set is reported wherever it stands */
    {"root = \"${ZC_NONE}\"", "c:1: " NO_VARIABLE},
    {"\nserver = \"a${ZC_NONE}b\"", "c:2: " NO_VARIABLE},
    {"listen = {\"1\", \"${ZC_NONE}\"}", "c:1: " NO_VARIABLE},
    {"cache { size = \"${ZC_NONE}\" }", "c:1: " NO_VARIABLE},
    {"include(\"${ZC_NONE}/more.conf\")", "c:1: " NO_VARIABLE},
    {"server = \"${ZC_EMPTY}${ZC_NONE}\"", "c:1: " NO_VARIABLE},
    {"server = \"${ZC_NONE:x}\"",
     "c:1: the environment variable ZC_NONE:x is not set: set it, or give a default, as in "
     "\"${ZC_NONE:x:-value}\"\n"},
    {"server = \"${}\"", "c:1: '${}' names no variable\n"},
    {"server = \"${:-x}\"", "c:1: '${}' names no variable\n"},
    {"lisen = 3\nroot = \"${ZC_NONE}\"\n",
     "c:1: unknown option 'lisen' (did you mean 'listen'?)\nc:2: " NO_VARIABLE},
    {"root = \"${ZC_EMPTY}\"", "c:1: " NO_ROOT},
    {"root = \"${ZC_NONE:-}\"", "c:1: " NO_ROOT},
    /* empty values, and words that have a meaning only for other options */
    {"root = \"\"", "c:1: " NO_ROOT},
    {"listen = \"\"", "c:1: listen = '': must be a list of 1 to 16 texts, none empty\n"},
    {"index = \"\"", "c:1: index = '': must be a list of 1 to 16 texts, none empty\n"},
    {"status = \"\"", "c:1: status = '': must be a text of 1 to 255 bytes, or off\n"},
    {"error_log = \"\"", "c:1: error_log = '': must be a path, or stderr\n"},
    {"error_log = off", "c:1: error_log = 'off': must be a path, or stderr\n"},
    {"error_log = -", "c:1: error_log = '-': must be a path, or stderr\n"},
    {"access_log = \"\"", "c:1: access_log = '': must be a path, or - or off\n"},
    {"access_log = stderr", "c:1: access_log = 'stderr': must be a path, or - or off\n"},
    {"model = \"\"", "c:1: model = '': must be auto, prefork, threadpool, epoll or io_uring\n"},
    {"workers = \"\"", "c:1: workers = '': " COUNT_WORDS},
    {"hidden = \"\"", "c:1: hidden = '': must be on or off\n"},
    {"cache { size = \"\" }", "c:1: cache.size = '': " SIZE_WORDS},
    {"timeouts { head = \"\" }", "c:1: timeouts.head = '': " TIME_WORDS},
    {"io_uring { sqpoll = \"\" }", "c:1: io_uring.sqpoll = '': must be a time from 1ms to 10s, "
                                   "such as 250ms, 10s or 5m, or off\n"},
    /* messages are shown on a terminal: escapes */
    {"model = \"\xc2\x9b\x9b\xe2\x80\xae\"",
     "c:1: model = '\\xc2\\x9b\\x9b\\xe2\\x80\\xae': must be "
     "auto, prefork, threadpool, epoll or io_uring\n"},
    {"workers = 4\n\n/* a\n b", "c:3: this comment is not closed\n"},
    {"workers = 4;", "c:1: ';' must be inside quotes; a line needs none at its end\n"},
    {"listen = *:80", "c:1: '*' must be inside quotes\n"},
    {"listen += 80", "c:1: '+' must be inside quotes\n"},
    {"root = ${HOME}", "c:1: '$' must be inside quotes\n"},
    {"cache|size = 1", "c:1: '|' must be inside quotes\n"},
    {"root = a(b)", "c:1: " PARENTHESES},
    {"include(\"a\"",
     "c:1: a parenthesis is not closed\nc:1: cannot read a: No such file or directory\n"},
    {"server = a\001", "c:1: control characters are not allowed\n"},
    {"server = \"a\033\"", "c:1: control characters are not allowed\n"},
    {"a{b{c{d{e{f{g{h{i{j{k{l{m{n{o{p{q{",
     "c:1: unknown option 'a'\nc:1: this '{' is not closed\n"},
    {"workers", "c:1: premature end of file\n"},
    {"\ncache {\n size = {\n 1", "c:3: this '{' is not closed\n"},
    {"cache {\n size = 1k\n)", "c:3: " PARENTHESES},
    {"= 4", "c:1: unexpected token '='\n"},
    {"listen = {,}", "c:1: unexpected token ','\n"},
    {"listen = {a,,b}", "c:1: unexpected token ','\n"},
    {"include = }", "c:1: unexpected token '}'\n"},
    {"include {", "c:1: missing equal sign after option 'include'\n"},
    {"include = {}", "c:1: include needs the name of a file\n"},
    {"include = {\"absent.conf\",\n\"other.conf\"}",
     "c:1: cannot read absent.conf: No such file or directory\n"
     "c:1: cannot read other.conf: No such file or directory\n"},
    {"lisen = 3\n\"", "c:1: unknown option 'lisen' (did you mean 'listen'?)\nc:2: " OPEN_TEXT},
    {"include(\"\")", "c:1: include needs the name of a file\n"},
    {"include(\"absent.conf\")", "c:1: cannot read absent.conf: No such file or directory\n"},
    {"include = /dev/null", "c:1: cannot read /dev/null: Not a regular file\n"},
};

/* A name of the greatest length, and one that is a byte longer; also from the command line. */
START_TEST(index_of_any_length)
{
    for (int length = 255; length <= 256; length++) {
        char text[300] = "index = ";
        memset(text + 8, 'i', (size_t)length);
        struct config *config = load("c", text, NULL, 0);
        ck_assert_int_eq(config != NULL, length == 255);
        if (config == NULL) ck_assert_ptr_nonnull(strstr(said, INDEX_WORDS));
        config_free(config);
    }
    struct config_override override = {"index", "a,b/c", "-o"};
    ck_assert_ptr_null(load(NULL, NULL, &override, 1));
    ck_assert_str_eq(said, "-o: index = 'b/c': " INDEX_WORDS);
}
END_TEST

START_TEST(is_refused)
{
    setenv("ZC_BELL", "\a", 1);
    setenv("ZC_EMPTY", "", 1);
    unsetenv("ZC_NONE");
    struct config *config = load("c", bad[_i].text, NULL, 0);
    ck_assert_msg(config == NULL, "not refused: %s", bad[_i].text);
    ck_assert_msg(strcmp(said, bad[_i].words) == 0, "%s\nsaid: %s", bad[_i].text, said);
}
END_TEST

START_TEST(zero_byte)
{
    free(said);
    FILE *errors = open_memstream(&said, &said_length);
    ck_assert_ptr_null(config_load_bytes("c", "\n\0", 2, NULL, 0, errors));
    fclose(errors);
    ck_assert_str_eq(said, "c:2: control characters are not allowed\n");
}
END_TEST

START_TEST(many_problems)
{
    char text[8192] = "";
    for (int i = 0; i < 100; i++)
        strcat(text, "workers = x\n");
    ck_assert_ptr_null(load("c", text, NULL, 0));
    size_t lines = 0;
    for (const char *p = said; (p = strchr(p, '\n')); p++)
        lines++;
    ck_assert_uint_eq(lines, PROBLEMS_SHOWN_MAX + 1);
    ck_assert_ptr_nonnull(strstr(said, "there are more problems, not shown\n"));
}
END_TEST

START_TEST(many_unknown)
{
    char text[1024] = "";
    for (int i = 0; i < PROBLEMS_SHOWN_MAX - 1; i++) {
        char one[32];
        snprintf(one, sizeof one, "elephant%d = 1\n", i);
        strcat(text, one);
    }
    strcat(text, "workers = x\n");
    ck_assert_ptr_null(load("c", text, NULL, 0));
    ck_assert_ptr_nonnull(strstr(said, "c:19: unknown option 'elephant18'\n"));
    ck_assert_ptr_nonnull(strstr(said, "c:20: workers = 'x': "));
}
END_TEST

/* Any number of values is skipped; a problem with the first ones is reported. */
START_TEST(many_values)
{
    size_t count = 100000;
    char *text = calloc(count + 20, 2);
    strcpy(text, "listen = {");
    for (char *p = text + strlen(text); count-- > 0; p += 2)
        memcpy(p, "a,", 3);
    strcat(text, "}\nworkers = x");
    ck_assert_ptr_null(load("c", text, NULL, 0));
    ck_assert_str_eq(said, "c:1: listen has the same member twice\n"
                           "c:2: workers = 'x': " COUNT_WORDS);
    free(text);
}
END_TEST

/* Any depth of unknown blocks: braces are counted, without recursion. */
START_TEST(many_braces)
{
    size_t count = 100000;
    char *text = calloc(count + 20, 2);
    memset(text + 1, '{', count);
    memset(text + 1 + count, '}', count);
    text[0] = 'x';
    ck_assert_ptr_null(load("c", text, NULL, 0));
    ck_assert_str_eq(said, "c:1: unknown option 'x'\n");
    text[2 * count] = '\0';
    ck_assert_ptr_null(load("c", text, NULL, 0));
    ck_assert_str_eq(said, "c:1: unknown option 'x'\nc:1: this '{' is not closed\n");
    free(text);
}
END_TEST

START_TEST(long_values)
{
    char text[OPTION_VALUE_MAX + 20];
    memset(text, 'a', sizeof text);
    memcpy(text, "root = /", 8);
    text[7 + OPTION_VALUE_MAX] = '\0';
    config_free(load_good(text));
    text[7 + OPTION_VALUE_MAX] = 'a';
    text[8 + OPTION_VALUE_MAX] = '\0';
    ck_assert_ptr_null(load("c", text, NULL, 0));
    ck_assert_str_eq(said, "c:1: root is longer than 4095 bytes\n");
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------- */

static char directory[] = "/tmp/test_config.XXXXXX";

static void directory_make(void)
{
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    ck_assert_int_eq(mkdir("conf", 0700), 0);
}

static void directory_remove(void)
{
    static const char *const names[] = {"conf/serve.conf", "conf/a.conf", "conf/b.conf", "conf"};
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

/* Files in `directory`. Messages are compared from behind the name of the directory. */
#define BELOW(path) ((path) + strlen(directory))

START_TEST(from_files)
{
    file_write("conf/serve.conf", "root = ../www\ninclude(\"a.conf\")\nworkers = 3\n");
    file_write("conf/a.conf", "error_log = log/error\ninclude = ./b.conf\n");
    file_write("conf/b.conf", "cache { size = 1k }\n");
    struct config *config = load("conf/serve.conf", NULL, NULL, 0);
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_str_eq(BELOW(config->file), "/conf/serve.conf");
    ck_assert_str_eq(BELOW(config->root), "/conf/../www");
    ck_assert_str_eq(BELOW(config->error_log), "/conf/log/error");
    ck_assert_uint_eq(config->cache_size, 1024);
    ck_assert_uint_eq(config->workers, 3);
    config_free(config);
}
END_TEST

START_TEST(default_paths)
{
    file_write("conf/serve.conf", "");
    struct config *config = load("conf/serve.conf", NULL, NULL, 0);
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_str_eq(BELOW(config->root), "/conf/www");
    config_free(config);
}
END_TEST

START_TEST(wrong_files)
{
    file_write("conf/serve.conf", "\ninclude(\"a.conf\")\nworkers = 3\n");
    file_write("conf/a.conf", "\n\nworkers = 4\nlisen = 3\ninclude(\"b.conf\")\n");
    ck_assert_ptr_null(load("conf/serve.conf", NULL, NULL, 0));
    ck_assert_str_eq(said,
                     "conf/a.conf:3: workers is a duplicate: conf/serve.conf:3 sets it already\n"
                     "conf/a.conf:4: unknown option 'lisen' (did you mean 'listen'?)\n"
                     "conf/a.conf:5: cannot read conf/b.conf: No such file or directory\n");
    ck_assert_ptr_null(load("conf", NULL, NULL, 0));
    ck_assert_str_eq(said, "cannot read conf: Is a directory\n");
    ck_assert_ptr_null(load("absent", NULL, NULL, 0));
    ck_assert_str_eq(said, "cannot read absent: No such file or directory\n");
    ck_assert_int_eq(mkfifo("conf/b.conf", 0600), 0);
    ck_assert_ptr_null(load("conf/b.conf", NULL, NULL, 0));
    ck_assert_str_eq(said, "cannot read conf/b.conf: Not a regular file\n");
}
END_TEST

START_TEST(unreadable_file)
{
    file_write("conf/serve.conf", "");
    ck_assert_int_eq(chmod("conf/serve.conf", 0), 0);
    ck_assert_int_eq(chmod("conf", 0711), 0);
    ck_assert_int_eq(chmod(directory, 0711), 0);
    /* Root may read anything. Each test has its own process, so it may become the user nobody. */
    if (geteuid() == 0) ck_assert_int_eq(seteuid(65534), 0);
    ck_assert_ptr_null(load("/proc/self/cwd/conf/serve.conf", NULL, NULL, 0));
    if (getuid() == 0) ck_assert_int_eq(seteuid(0), 0);
    ck_assert_str_eq(said, "cannot read /proc/self/cwd/conf/serve.conf: Permission denied\n");
}
END_TEST

START_TEST(circular_files)
{
    file_write("conf/serve.conf", "include(\"a.conf\")\n");
    file_write("conf/a.conf", "include(\"../conf/serve.conf\")\n");
    ck_assert_ptr_null(load("conf/serve.conf", NULL, NULL, 0));
    ck_assert_str_eq(said, "conf/a.conf:1: conf/../conf/serve.conf is included already\n");
}
END_TEST

START_TEST(too_many_files)
{
    file_write("conf/serve.conf",
               "include = a\ninclude = a\ninclude = a\ninclude = a\ninclude = a\ninclude = a\n"
               "include = a\ninclude = a\ninclude = a\ninclude = a\ninclude = a\ninclude = a\n"
               "include = a\ninclude = a\ninclude = a\ninclude = a\n");
    ck_assert_ptr_null(load("conf/serve.conf", NULL, NULL, 0));
    ck_assert_ptr_nonnull(strstr(said, "conf/serve.conf:16: more than 15 files are included\n"));
}
END_TEST

START_TEST(large_file)
{
    file_write("conf/serve.conf", "workers = 3\n");
    ck_assert_int_eq(truncate("conf/serve.conf", INPUT_BYTES_MAX + 1), 0);
    ck_assert_ptr_null(load("conf/serve.conf", NULL, NULL, 0));
    ck_assert_str_eq(said, "cannot read conf/serve.conf: Larger than 1 MiB\n");
}
END_TEST

/* ---- overrides ------------------------------------------------------------------------------- */

START_TEST(overrides)
{
    static const struct config_override given[] = {
        {"listen", "127.0.0.1:0", "-p"}, {"cache.size", "1m", "-o"}, {"workers", "2", "-w"},
        {"listen", "80,[::1]:81", "-l"}, {"workers", "5", "-w"},     {"root", "site", "DIR"},
        {"sidecars", "", "-o"},
    };
    file_write("conf/serve.conf", "listen = {a, b, c}\nroot = x\nworkers = 9\n");
    struct config *config = load("conf/serve.conf", NULL, given, COUNT(given));
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_uint_eq(config->listen.count, 3);
    ck_assert_str_eq(config->listen.item[0], "127.0.0.1:0");
    ck_assert_str_eq(config->listen.item[2], "[::1]:81");
    ck_assert_uint_eq(config->workers, 5);
    ck_assert_uint_eq(config->cache_size, 1 << 20);
    ck_assert_str_eq(BELOW(config->root), "/site");
    ck_assert_uint_eq(config->sidecars.count, 0);
    config_free(config);
}
END_TEST

/* Returns the titles of a list of blocks: "/|*.css|". */
static const char *titles_of(const struct config_block *block)
{
    static char text[512];
    text[0] = '\0';
    for (; block; block = block->next)
        strcat(strcat(text, block->title), "|");
    return text;
}

static const struct config_rule *rule_last(const struct config_block *block)
{
    while (block->next)
        block = block->next;
    return (const struct config_rule *)(const void *)block;
}

/* They stand behind the rules of every site, under a title that is free. */
START_TEST(overrides_of_rules)
{
    static const struct config_override given[] = {{"rule.cors", "https://a,https://b", "--cors"},
                                                   {"rule.cache_control", "x, y", "-K"},
                                                   {"rule.cache_control", "no-cache, z", "-o"}};
    struct config *config = load("/etc/z/serve.conf",
                                 "rule \"/\" { } rule \"/**\" { cache_control = a }\n"
                                 "site one { rule \"/x\" { cache_control = b } }\n"
                                 "site two { }\n",
                                 given, COUNT(given));
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_str_eq(titles_of(config->outside.inner), "/|/**|/*|");
    ck_assert_str_eq(titles_of(config->block.inner->inner), "/x|/**|");
    ck_assert_str_eq(titles_of(config->block.inner->next->inner), "/**|");
    const struct config_rule *rule = rule_last(config->outside.inner);
    ck_assert_str_eq(rule->cache_control, "no-cache, z");
    ck_assert_str_eq(config_rule_place(rule, &rule->cache_control), "-o");
    ck_assert_uint_eq(rule->cors.count, 2);
    ck_assert_str_eq(rule->cors.item[1], "https://b");
    ck_assert_ptr_null(config_rule_place(rule, &rule->listing));
    config_free(config);
}
END_TEST

/* They stand before the rules of every site; a site with all hosts leaves nothing for outside. */
START_TEST(overrides_of_a_single_page)
{
    static const struct config_override given[] = {{CONFIG_SINGLE_PAGE, "on", "--spa"}};
    struct config *config = load(
        "/etc/z/serve.conf", "site one { hosts = {a, \"*\"} rule \"*.*\" { } rule \"/\" { } }\n",
        given, COUNT(given));
    ck_assert_msg(config != NULL, "%s", said);
    ck_assert_ptr_null(config->outside.inner);
    ck_assert_str_eq(titles_of(config->block.inner->inner), "/**|**.*|/.well-known/|*.*|/|");
    const struct config_rule *rule =
        (const struct config_rule *)(const void *)config->block.inner->inner;
    ck_assert_uint_eq(rule->try_files.count, 2);
    ck_assert_str_eq(rule->try_files.item[1], "/index.html");
    ck_assert_str_eq(config_rule_place(rule, &rule->try_files), "--spa");
    config_free(config);
    ck_assert_ptr_null(
        load("/etc/z/serve.conf", "rule \"*.*\" { } rule \"**.*\" { }\n", given, COUNT(given)));
    ck_assert_str_eq(said,
                     "--spa: rule \"**.*\" is a duplicate: /etc/z/serve.conf:1 has it already\n");
}
END_TEST

static const struct {
    struct config_override given;
    const char *words;
} bad_overrides[] = {
    {{"rule.corz", "a", "-o"}, "-o: unknown option 'rule.corz'\n"},
    {{"workers", "many", "-w"}, "-w: workers = 'many': " COUNT_WORDS},
    {{"cache.sise", "1", "-o"}, "-o: unknown option 'cache.sise' (did you mean 'cache.size'?)\n"},
    {{"size", "1", "-o"}, "-o: unknown option 'size' (did you mean 'cache.size'?)\n"},
    {{"elephant", "1", "-o"}, "-o: unknown option 'elephant'\n"},
    {{"", "1", "-o"}, "-o: unknown option ''\n"},
    {{"root", "", "-o"}, "-o: " NO_ROOT},
    {{"status", "", "-o"}, "-o: status = '': must be a text of 1 to 255 bytes, or off\n"},
    {{"error_log", "", "-o"}, "-o: error_log = '': must be a path, or stderr\n"},
    {{"access_log", "", "-o"}, "-o: access_log = '': must be a path, or - or off\n"},
    {{"listen", "", "-l"}, "-l: listen = '': must be a list of 1 to 16 texts, none empty\n"},
    {{"listen", ",", "-l"}, "-l: listen = '': must be a list of 1 to 16 texts, none empty\n"},
    {{"listen", "1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i", "-l"},
     "-l: listen = '1, 2, 3, 4, 5, 6, 7, 8, 9, a, b, c, d, e, f, g, h': must be a list of 1 to 16 "
     "texts, none empty\n"},
    {{"limits.target", "64k", "-o"},
     "-o: limits.target must not be larger than limits.head, of which it is a part\n"},
};

START_TEST(override_is_refused)
{
    ck_assert_ptr_null(load(NULL, NULL, &bad_overrides[_i].given, 1));
    ck_assert_str_eq(said, bad_overrides[_i].words);
}
END_TEST

/* ---- the printout ---------------------------------------------------------------------------- */

/* Writes a value that is not the default, as it would stand in a file. */
static void other_value(const struct config_option *option, FILE *out)
{
    bool is_on = strcmp(option->fallback, "on") == 0;
    const char *last_word = strrchr(option->words, '|');
    switch (option->kind) {
    case OPTION_TEXT: fputs("\"a \\\"b\\\" \\\\ \\${c} # d\"", out); break;
    case OPTION_PATH: fprintf(out, "\"/x y/%s\\\\\"", option->name); break;
    case OPTION_LIST:
        fputs(option->words[0] ? "{zst}" : "{\"a b\", \"c\\$\", \"d,e\"}", out);
        break;
    case OPTION_FLAG: fputs(is_on ? "off" : "on", out); break;
    case OPTION_COUNT: fprintf(out, "%llu", (unsigned long long)option->most); break;
    case OPTION_BYTES: fprintf(out, "%llu", (unsigned long long)option->most); break;
    case OPTION_TIME: fprintf(out, "%llums", (unsigned long long)(option->most / MS)); break;
    case OPTION_CHOICE: fputs(last_word ? last_word + 1 : option->words, out); break;
    }
}

static char *other_configuration(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(out);
    for (EACH(option)) {
        size_t section = strlen(option->section);
        if (section > 0) fprintf(out, "%.*s { ", (int)section - 1, option->section);
        fprintf(out, "%s = ", option->name);
        other_value(option, out);
        fputs(section > 0 ? " }\n" : "\n", out);
    }
    fclose(out);
    return text;
}

static bool has_other(const struct config_option *option)
{
    return option->kind != OPTION_CHOICE || strchr(option->words, '|');
}

START_TEST(round_trip)
{
    char *text = other_configuration();
    struct config *usual = load_good("");
    struct config *other = load_good(text);
    char *first = printed(other);
    struct config *back = load_good(first);
    char *second = printed(back);
    ck_assert_msg(strcmp(first, second) == 0, "what is printed changes when read back");
    for (EACH(option)) {
        char *value = written(option, other);
        char *value_back = written(option, back);
        char *value_usual = written(option, usual);
        ck_assert_str_eq(value, value_back);
        ck_assert_msg(!has_other(option) || strcmp(value, value_usual) != 0, "%s", option->name);
        ck_assert_ptr_nonnull(strstr(first, option->help));
        free(value);
        free(value_back);
        free(value_usual);
    }
    ck_assert_str_eq(back->server, "a \"b\" \\ ${c} # d");
    ck_assert_str_eq(back->index.item[2], "d,e");
    free(text);
    free(first);
    free(second);
    config_free(usual);
    config_free(other);
    config_free(back);
}
END_TEST

/* ---- conf/serve.conf ------------------------------------------------------------------------- */

/* Returns the text of the file; with `all`, the options that are commented out are active. */
static char *shipped(bool all)
{
    FILE *file = fopen("conf/serve.conf", "r");
    ck_assert_ptr_nonnull(file);
    char *text = calloc(1, INPUT_BYTES_MAX);
    ck_assert_uint_gt(fread(text, 1, INPUT_BYTES_MAX - 1, file), 0);
    fclose(file);
    for (char *p = text; all && (p = strchr(p, '#')); p++)
        if (isalpha((unsigned char)p[1])) *p = ' ';
    return text;
}

START_TEST(shipped_says_all)
{
    char *text = shipped(true);
    struct config *config = load_good(text);
    for (EACH(option)) {
        const char *field = (const char *)config + option->offset;
        ck_assert_msg(strcmp(config_place(config, field), "default") != 0,
                      "conf/serve.conf does not mention %s%s", option->section, option->name);
    }
    config_free(config);
    free(text);
}
END_TEST

/* With all commented options active, the configuration is the same: they show the defaults. */
START_TEST(shipped_says_defaults)
{
    char *active = shipped(false);
    char *all = shipped(true);
    struct config *config = load_good(active);
    struct config *config_all = load_good(all);
    for (EACH(option)) {
        char *value = written(option, config);
        char *value_all = written(option, config_all);
        ck_assert_msg(strcmp(value, value_all) == 0, "%s%s: the default is %s, not %s",
                      option->section, option->name, value, value_all);
        free(value);
        free(value_all);
    }
    ck_assert_str_eq(config->listen.item[0], "127.0.0.1:8080");
    ck_assert_str_eq(config->root, "/etc/z/../www");
    ck_assert_str_eq(config->mime_types, "/etc/z/mime.types");
    free(active);
    free(all);
    config_free(config);
    config_free(config_all);
}
END_TEST

static SRunner *runner_create(void)
{
    Suite *suite = suite_create("config");
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, place_of_an_option);
    tcase_add_test(texts, defaults);
    tcase_add_loop_test(texts, is_read, 0, COUNT(good));
    tcase_add_test(texts, fields);
    tcase_add_test(texts, index_of_any_length);
    tcase_add_loop_test(texts, is_refused, 0, COUNT(bad));
    tcase_add_test(texts, zero_byte);
    tcase_add_test(texts, many_problems);
    tcase_add_test(texts, many_unknown);
    tcase_add_test(texts, many_values);
    tcase_add_test(texts, many_braces);
    tcase_add_test(texts, long_values);
    tcase_add_test(texts, overrides_of_rules);
    tcase_add_test(texts, overrides_of_a_single_page);
    tcase_add_loop_test(texts, override_is_refused, 0, COUNT(bad_overrides));
    tcase_add_test(texts, round_trip);
    tcase_add_test(texts, shipped_says_all);
    tcase_add_test(texts, shipped_says_defaults);
    suite_add_tcase(suite, texts);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, directory_make, directory_remove);
    tcase_add_test(files, from_files);
    tcase_add_test(files, default_paths);
    tcase_add_test(files, wrong_files);
    tcase_add_test(files, unreadable_file);
    tcase_add_test(files, circular_files);
    tcase_add_test(files, too_many_files);
    tcase_add_test(files, large_file);
    tcase_add_test(files, overrides);
    suite_add_tcase(suite, files);
    return srunner_create(suite);
}

int main(void)
{
    SRunner *runner = runner_create();
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
