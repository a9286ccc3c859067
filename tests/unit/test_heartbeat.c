/*
 * Tests of src/process/heartbeat.c: which processes are late, and which are ended. The processes are
 * real, because they get signals; the time is made up.
 */
#define _GNU_SOURCE
#include "process/heartbeat.h"

#include <check.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEGAN_NS (1000 * NS_PER_SECOND)

static struct supervision s;
static struct supervised process;
static struct supervise_options options;
static uint64_t awake_ns; /* what the process noted */
static int hung;

static int run(const void *of, uint32_t index)
{
    (void)of, (void)index;
    return 0;
}

static uint64_t on_awake_since(const void *of, const struct supervised *of_process)
{
    (void)of, (void)of_process;
    return awake_ns;
}

static void on_hung(const void *of, const struct supervised *of_process)
{
    (void)of, (void)of_process;
    hung++;
}

/* Starts a process that runs or sleeps until a signal ends it, and ignores ABRT if it is deaf. */
static pid_t child(bool runs, bool deaf)
{
    pid_t pid = fork();
    if (pid > 0) return pid;
    ck_assert_int_eq(pid, 0);
    if (deaf) signal(SIGABRT, SIG_IGN);
    while (true)
        if (!runs) pause();
}

/* Waits until the kernel shows the process in a state. */
static void await_state(char state)
{
    char path[32], text[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)process.pid);
    for (int i = 0; i < 10000; i++) {
        FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
        if (heartbeat_state(text) == state) return;
        usleep(1000);
    }
    ck_abort_msg("the process is not in state %c", state);
}

static void set_up(void)
{
    awake_ns = 0;
    hung = 0;
    options = (struct supervise_options){
        .hang_ns = 8 * NS_PER_SECOND, .awake_since = on_awake_since, .hung = on_hung};
    process = (struct supervised){.name = "worker", .run = run};
    s = (struct supervision){.process = &process, .count = 1, .options = &options};
}

static void process_is(bool runs, bool deaf)
{
    process.pid = child(runs, deaf);
    await_state(runs ? 'R' : 'S');
}

/* Looks every second until `seconds` after the beginning. Returns when to look again. */
static uint64_t watch_until(unsigned seconds)
{
    uint64_t next_ns = 0;
    for (unsigned i = 0; i <= seconds; i++)
        next_ns = heartbeat_take_turn(&s, BEGAN_NS + i * NS_PER_SECOND);
    return next_ns;
}

static void expect_end_by(int signal_number)
{
    int status;
    ck_assert_int_eq(waitpid(process.pid, &status, 0), process.pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == signal_number,
                  "it ended with the status 0x%x, not by the signal %d", (unsigned)status,
                  signal_number);
}

static void expect_life(void)
{
    ck_assert_int_eq(hung, 0);
    ck_assert_int_eq(waitpid(process.pid, NULL, WNOHANG), 0);
    kill(process.pid, SIGKILL);
    expect_end_by(SIGKILL);
}

START_TEST(reads_the_state)
{
    ck_assert_int_eq(heartbeat_state("12 (zcserve:w0) S 1 12"), 'S');
    ck_assert_int_eq(heartbeat_state("12 (a) R (b)) D 1 12"), 'D');
    ck_assert_int_eq(heartbeat_state("12 (zcserve"), '\0');
    ck_assert_int_eq(heartbeat_state("12 (zcserve)"), '\0');
    ck_assert_int_eq(heartbeat_state(""), '\0');
}
END_TEST

START_TEST(ends_who_loops)
{
    process_is(true, false);
    awake_ns = BEGAN_NS;
    watch_until(7);
    ck_assert_int_eq(hung, 0);
    ck_assert(process.late);
    watch_until(8);
    ck_assert_int_eq(hung, 1);
    expect_end_by(SIGABRT);
}
END_TEST

START_TEST(kills_the_deaf_a_second_later)
{
    process_is(true, true);
    awake_ns = BEGAN_NS;
    watch_until(8);
    ck_assert_int_eq(process.kills, 1);
    ck_assert_uint_le(heartbeat_take_turn(&s, BEGAN_NS + 8500 * NS_PER_MS),
                      BEGAN_NS + 9 * NS_PER_SECOND);
    ck_assert_int_eq(process.kills, 1);
    heartbeat_take_turn(&s, BEGAN_NS + 9 * NS_PER_SECOND);
    expect_end_by(SIGKILL);
    heartbeat_take_turn(&s, BEGAN_NS + 20 * NS_PER_SECOND);
    ck_assert_int_eq(process.kills, 2);
}
END_TEST

START_TEST(leaves_who_waits_for_work)
{
    process_is(false, false);
    watch_until(100);
    ck_assert(!process.late);
    expect_life();
}
END_TEST

/* A new process may not have written its first note yet. */
START_TEST(ignores_the_notes_of_a_process_before)
{
    process_is(true, false);
    process.started_ns = BEGAN_NS + 1;
    awake_ns = BEGAN_NS;
    watch_until(100);
    ck_assert(!process.late);
    expect_life();
}
END_TEST

START_TEST(leaves_a_generation_that_ends)
{
    process_is(true, false);
    process.generation = GENERATION_BEFORE;
    awake_ns = BEGAN_NS;
    watch_until(100);
    expect_life();
}
END_TEST

START_TEST(leaves_who_moves)
{
    process_is(true, false);
    for (unsigned i = 0; i < 100; i++) {
        awake_ns = BEGAN_NS + i * NS_PER_SECOND - 900 * NS_PER_MS;
        heartbeat_take_turn(&s, BEGAN_NS + i * NS_PER_SECOND);
        ck_assert(!process.late);
    }
    expect_life();
}
END_TEST

/* A sleeping event loop hangs; a process that waits for a disk itself may sleep for its file system. */
START_TEST(leaves_the_patient_unless_they_run)
{
    process_is(false, false);
    process.patient = true;
    awake_ns = BEGAN_NS;
    watch_until(100);
    ck_assert_int_eq(hung, 0);
    process.patient = false;
    process.seen_ns = 0;
    s.watch_ns = 0;
    watch_until(8);
    expect_end_by(SIGABRT);
}
END_TEST

/* One look after a long time, as when the machine has slept, is no proof. */
START_TEST(needs_two_looks)
{
    process_is(true, false);
    awake_ns = BEGAN_NS;
    heartbeat_take_turn(&s, BEGAN_NS + 3600 * NS_PER_SECOND);
    ck_assert_int_eq(hung, 0);
    awake_ns = BEGAN_NS + 3600 * NS_PER_SECOND;
    heartbeat_take_turn(&s, BEGAN_NS + 3601 * NS_PER_SECOND);
    expect_life();
}
END_TEST

START_TEST(kills_who_was_stopped)
{
    process_is(false, false);
    kill(process.pid, SIGSTOP);
    await_state('T');
    heartbeat_stopped(&process, true, BEGAN_NS);
    ck_assert_uint_le(heartbeat_take_turn(&s, BEGAN_NS), BEGAN_NS + 8 * NS_PER_SECOND);
    ck_assert(process.late);
    watch_until(7);
    ck_assert_int_eq(hung, 0);
    watch_until(8);
    ck_assert_int_eq(hung, 1);
    expect_end_by(SIGKILL);
}
END_TEST

START_TEST(leaves_who_goes_on)
{
    process_is(false, false);
    heartbeat_stopped(&process, true, BEGAN_NS);
    watch_until(4);
    heartbeat_stopped(&process, false, BEGAN_NS + 4 * NS_PER_SECOND);
    watch_until(100);
    ck_assert(!process.late);
    expect_life();
}
END_TEST

START_TEST(watches_nobody_when_it_is_off)
{
    process_is(true, false);
    options.hang_ns = 0;
    awake_ns = BEGAN_NS;
    heartbeat_stopped(&process, true, BEGAN_NS);
    ck_assert_uint_eq(watch_until(100), NEVER);
    ck_assert(!process.late);
    expect_life();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heartbeat");
    TCase *cases = tcase_create("heartbeat");
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_set_timeout(cases, 30);
    tcase_add_test(cases, reads_the_state);
    tcase_add_test(cases, ends_who_loops);
    tcase_add_test(cases, kills_the_deaf_a_second_later);
    tcase_add_test(cases, leaves_who_waits_for_work);
    tcase_add_test(cases, ignores_the_notes_of_a_process_before);
    tcase_add_test(cases, leaves_a_generation_that_ends);
    tcase_add_test(cases, leaves_who_moves);
    tcase_add_test(cases, leaves_the_patient_unless_they_run);
    tcase_add_test(cases, needs_two_looks);
    tcase_add_test(cases, kills_who_was_stopped);
    tcase_add_test(cases, leaves_who_goes_on);
    tcase_add_test(cases, watches_nobody_when_it_is_off);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
