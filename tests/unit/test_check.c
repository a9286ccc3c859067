/* Tests of src/doctor/check.c: the table, and which checks look when. */
#include "examined.h"

#include <ctype.h>

static const char *why_not[CHECKS_MAX];
static struct findings findings;

static const char *why(const char *name)
{
    for (unsigned i = 0; checks[i].name; i++)
        if (strcmp(checks[i].name, name) == 0) return why_not[i];
    ck_abort_msg("no check %s", name);
    return NULL;
}

static void run(void)
{
    findings_free(&findings);
    checks_run(&facts, &findings, why_not);
}

START_TEST(table)
{
    unsigned count = 0;
    for (const struct check *check = checks; check->name; check++, count++) {
        ck_assert_uint_le(strlen(check->name), 12); /* a column */
        for (const char *at = check->name; *at; at++)
            ck_assert(islower(*at) || *at == '_');
        for (const struct check *other = checks; other < check; other++) {
            ck_assert_str_ne(other->name, check->name);
            ck_assert(other->look != check->look);
        }
        ck_assert_uint_gt(strlen(check->what), 10);
        ck_assert_uint_lt(check->needs, 1U << NEEDS_COUNT);
    }
    ck_assert_uint_lt(count, CHECKS_MAX);
}
END_TEST

START_TEST(needs_are_told)
{
    examined_begin("listen = \"unix:/run/a\"\nmodel = prefork\naccess_log = off\nsidecars = {}\n"
                   "cache { size = 0\n watches = 0 }\n");
    facts.subject.user = 0;
    run();
    ck_assert_str_eq(why("privileged"), "all addresses are Unix sockets");
    ck_assert_str_eq(why("io_uring"), "the model uses no io_uring");
    ck_assert_str_eq(why("readable"), "root may do everything; -u USER looks as another user");
    ck_assert_str_eq(why("sidecars"), "sidecars are switched off");
    ck_assert_str_eq(why("residency"), "the model has no event loop");
    ck_assert_str_eq(why("notification"), "cache.watches is 0");
    ck_assert_str_eq(why("memory"), "cache.size is 0");
    ck_assert_str_eq(why("scheduler"), "no file system is on one disk that is known");
    ck_assert_str_eq(why("logs"), "no log is a file");
    ck_assert_str_eq(why("users"), "no rule has users");
    ck_assert_ptr_null(why("root"));
    facts.survey.directories = 0;
    facts.subject.user = 33;
    run();
    ck_assert_str_eq(why("readable"), "no root could be looked at");
    facts.survey.directories = 1;
    run();
    ck_assert_str_eq(why("own"), "-u USER or --pid PID says who serves");
    findings_free(&findings);
    examined_end();
}
END_TEST

/* A machine on which everything is wrong, from files to findings: each check finds something. */
START_TEST(all_is_wrong)
{
    examined_begin(
        "listen = {\"192.0.2.1:80\"}\nworkers = 100\nbacklog = 4096\n"
        "access_log = /var/log/a\nrule / { users = a }\ncache { size = 64g\n watches = 10 }\n");
    facts.root[0].error = 2;
    strcpy(facts.device[0].name, "sda");
    strcpy(facts.device[0].queue, "/sys/dev/block/8:0/queue");
    facts.device[0].tree = facts.tree;
    facts.address[0].error = 99;
    facts.log[0].error = 13;
    facts.users[0].open = true;
    facts.subject.is_server = true;
    facts.subject.files = facts.subject.locked = (struct subject_limit){512, 512};
    facts.ring.problem = "io_uring: none";
    facts.survey = (struct survey){.entries = 1,
                                   .directories = 100,
                                   .files = 1,
                                   .large_files = 1,
                                   .cut = "files",
                                   .systems = 1};
    facts.survey.system[0] = (struct survey_system){.probed = true, .means = RESIDENT_UNTOLD};
    for (int i = 0; i < SURVEY_KINDS; i++)
        facts.survey.group[i] = (struct survey_group){.count = 1, .example = {(char[]){"x"}}};
    made_up_file("/proc/meminfo", "MemTotal: 33554432 kB\nMemAvailable: 33554432 kB\n"
                                  "SwapTotal: 33554432 kB\nSwapFree: 0 kB\n");
    made_up_file("/proc/sys/vm/swappiness", "100\n");
    made_up_file("/proc/sys/vm/dirty_ratio", "90\n");
    made_up_file("/proc/sys/net/core/somaxconn", "128\n");
    made_up_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
    made_up_file("/proc/sys/net/ipv4/ip_local_port_range", "10\t60999\n");
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_max", "65536\n");
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_count", "65536\n");
    made_up_file("/proc/sys/fs/inotify/max_user_instances", "8\n");
    made_up_file("/proc/sys/fs/inotify/max_user_watches", "8\n");
    made_up_file("/sys/kernel/mm/transparent_hugepage/enabled", "[always] never\n");
    made_up_file("/sys/kernel/mm/transparent_hugepage/defrag", "[always] never\n");
    made_up_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "acpi_pm\n");
    made_up_file("/sys/dev/block/8:0/queue/scheduler", "[none] bfq\n");
    made_up_file("/sys/dev/block/8:0/queue/rotational", "1\n");
    made_up_file("/sys/dev/block/8:0/queue/read_ahead_kb", "4\n");
    run();
    for (unsigned i = 0; checks[i].name; i++) {
        bool found = false;
        for (unsigned f = 0; f < findings.count; f++)
            found |= strcmp(findings.item[f].check, checks[i].name) == 0;
        bool is_other =
            strcmp(checks[i].name, "user") == 0 || strcmp(checks[i].name, "memlock") == 0;
        ck_assert_msg(found != is_other, "%s: %s", checks[i].name, why_not[i] ? why_not[i] : "");
    }
    for (unsigned f = 0; f < findings.count; f++)
        ck_assert_ptr_nonnull(findings.item[f].remedy);
    findings_free(&findings);
    examined_end();
}
END_TEST

/* A machine without /proc and /sys: each check that reads a file of them says which is missing. */
START_TEST(nothing_is_there)
{
    static const char *const readers[] = {"privileged", "backlog",    "ports", "watches", "memory",
                                          "swap",       "huge_pages", "dirty", "clock"};
    examined_begin("listen = {\"192.0.2.1:80\"}\n");
    facts.survey.large_files = facts.survey.systems = 1;
    facts.survey.system[0].reports_changes = true;
    facts.device[0] = (struct device){.tree = facts.tree, .queue = "/sys/dev/block/8:0/queue"};
    run();
    ck_assert_uint_eq(findings.count, 0);
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        const char *missing = why(readers[i]);
        ck_assert_msg(missing &&
                          (strncmp(missing, "/proc/", 6) == 0 || strncmp(missing, "/sys/", 5) == 0),
                      "%s: %s", readers[i], missing ? missing : "looked");
    }
    ck_assert_str_eq(why("conntrack"), "nf_conntrack is not loaded");
    ck_assert_str_eq(why("read_ahead"), "no disk tells its read_ahead_kb");
    ck_assert_str_eq(why("scheduler"), "no disk tells its scheduler");
    findings_free(&findings);
    examined_end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("check");
    tcase_add_test(tcase, table);
    tcase_add_test(tcase, needs_are_told);
    tcase_add_test(tcase, all_is_wrong);
    tcase_add_test(tcase, nothing_is_there);
    return examined_run(tcase);
}
