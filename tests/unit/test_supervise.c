/*
 * Tests of src/process/supervise.c and supervised.c with real processes: a supervisor in a process
 * of its own, whose workers note what happens to them in memory that all share.
 */
#define _GNU_SOURCE
#include "zcserve/supervise.h"

#include "zcserve/access.h"
#include "zcserve/log.h"
#include "zcserve/now.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 4

enum temper { OBEDIENT, STUBBORN, DEAF, CRASHING, FIRST_CRASHES, REFUSED };

/* Memory that all processes of a test share. */
static struct shared {
    _Atomic int starts[WORKERS_MAX], terms[WORKERS_MAX], usr1s[WORKERS_MAX], usr2s[WORKERS_MAX];
    _Atomic pid_t pid[WORKERS_MAX];
    _Atomic int reloads, replaced, failed;
    _Atomic bool serves[WORKERS_MAX];
    _Atomic int absences, absent_now, urgs[WORKERS_MAX];
    _Atomic int released, finished, order, release_came, finish_came, first_term_came;
    _Atomic uint64_t started_ns[16];
    _Atomic int cpu, ignores_int, ignores_hup, ignores_quit, ignores_pipe;
    _Atomic uint64_t dropped;
    _Atomic int announced, begun_asked;
    _Atomic uint64_t awake_ns;
    char name[16];
} * shared;

static char directory[] = "/tmp/zcserve-supervise-XXXXXX";
static char errors[64], access_path[64];
static enum temper temper;
static pid_t supervisor;
static struct supervised processes[WORKERS_MAX];
static struct supervise_options options;
static uint32_t count;

/* ---- in the processes ------------------------------------------------------------------------ */

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static bool is_ignored(int signal_number)
{
    struct sigaction action;

    sigaction(signal_number, NULL, &action);
    return action.sa_handler == SIG_IGN;
}

static void note_start(uint32_t index)
{
    int starts = ++shared->starts[index];

    if (starts <= 16) shared->started_ns[starts - 1] = clock_ns();
    shared->ignores_int = is_ignored(SIGINT);
    shared->ignores_hup = is_ignored(SIGHUP);
    shared->ignores_quit = is_ignored(SIGQUIT);
    shared->ignores_pipe = is_ignored(SIGPIPE) && is_ignored(SIGXFSZ) && is_ignored(SIGTTOU);
    shared->cpu = sched_getcpu();
    prctl(PR_GET_NAME, shared->name);
    log_notice("here");
    shared->pid[index] = getpid();
}

/* A worker that takes signals one after another, and obeys them or not. */
static int serve(const void *of, uint32_t index)
{
    sigset_t set;

    (void)of;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGURG);
    sigprocmask(SIG_BLOCK, &set, NULL);
    note_start(index);
    if (temper == CRASHING) return 3;
    if (temper == FIRST_CRASHES && index == 0 && shared->starts[0] <= 3) return 3;
    shared->serves[index] = true;
    for (;;) {
        switch (sigwaitinfo(&set, NULL)) {
        case SIGTERM:
            if (shared->terms[index]++ == 0) shared->first_term_came = ++shared->order;
            if (temper == OBEDIENT || temper == FIRST_CRASHES) return 0;
            break;
        case SIGUSR1: shared->usr1s[index]++; break;
        case SIGURG: shared->urgs[index]++; break;
        case SIGUSR2:
            shared->usr2s[index]++;
            if (temper != DEAF) return 0;
            break;
        default: break;
        }
    }
}

/* ---- around them ----------------------------------------------------------------------------- */

static void on_release(const void *of)
{
    (void)of;
    shared->released++;
    shared->release_came = ++shared->order;
}

static void on_finish(const void *of)
{
    (void)of;
    shared->finished++;
    shared->finish_came = ++shared->order;
}

static void on_absence(const void *of, const struct supervised *among, uint32_t of_them)
{
    (void)of;
    ck_assert_uint_eq(of_them, count);
    shared->absent_now = 0;
    for (uint32_t i = 0; i < of_them; i++)
        shared->absent_now += among[i].absent;
    shared->absences++;
}

static void set_up(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(errors, sizeof(errors), "%s/errors", directory);
    snprintf(access_path, sizeof(access_path), "%s/access", directory);
    ck_assert_int_eq(log_open(errors, LOG_INFO), 0);
    options = (struct supervise_options){
        .drain_ns = 10 * NS_PER_SECOND, .release = on_release, .finish = on_finish};
    /* Processes that lose their parent become children of this one, so that none is left. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void tear_down(void)
{
    unlink(errors);
    unlink(access_path);
    rmdir(directory);
    /* No process is left: no child, and none that lost its parent. */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static void supervise_workers(uint32_t workers, enum temper with)
{
    temper = with;
    count = workers;
    for (uint32_t i = 0; i < workers; i++)
        processes[i] = (struct supervised){.name = "worker", .run = serve, .index = i, .cpu = -1};
}

static void start(void)
{
    supervisor = fork();
    if (supervisor == 0) {
        supervise_prepare();
        exit(supervise(processes, count, &options));
    }
    ck_assert_int_gt(supervisor, 0);
}

/* Waits until `value` is at least `least`, at most three seconds. */
static void wait_until(const _Atomic int *value, int least, const char *what)
{
    for (int i = 0; i < 3000; i++) {
        if (*value >= least) return;
        usleep(1000);
    }
    ck_abort_msg("%s is %d, not %d", what, *value, least);
}
#define WAIT_UNTIL(value, least) wait_until(&(value), (least), #value)

/* Waits until the pid of a worker is not `than`. Returns the pid. */
static pid_t worker_pid(uint32_t index, pid_t than)
{
    for (int i = 0; i < 3000; i++) {
        if (shared->pid[index] != than) return shared->pid[index];
        usleep(1000);
    }
    ck_abort_msg("worker %u has not come", index);
}

static void expect_end(int code)
{
    int status = 0;

    ck_assert_int_eq(waitpid(supervisor, &status, 0), supervisor);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code, "status %x", (unsigned)status);
}

static void expect_logged(const char *text)
{
    static char content[65536];
    int fd = open(errors, O_RDONLY);
    ssize_t length = read(fd, content, sizeof(content) - 1);

    close(fd);
    content[length < 0 ? 0 : length] = '\0';
    ck_assert_msg(strstr(content, text) != NULL, "no '%s' in:\n%s", text, content);
}

START_TEST(drains_on_term)
{
    supervise_workers(3, OBEDIENT);
    start();
    for (uint32_t i = 0; i < 3; i++)
        worker_pid(i, 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(shared->starts[i], 1);
        ck_assert_int_eq(shared->terms[i], 1);
        ck_assert_int_eq(shared->usr2s[i], 0);
    }
    ck_assert_int_eq(shared->released, 1);
    ck_assert_int_eq(shared->finished, 1);
    ck_assert_int_eq(shared->release_came, 1);
    ck_assert_int_eq(shared->first_term_came > 1, 1);
    ck_assert_int_gt(shared->finish_came, shared->first_term_came);
}
END_TEST

static void on_announce(const void *of)
{
    (void)of;
    shared->announced++;
}

static bool on_begun(const void *of)
{
    (void)of;
    return ++shared->begun_asked == 3;
}

/* begun() is asked until it is true; a stop is announced, and the drain begins after the delay. */
START_TEST(announces_before_it_drains)
{
    options.drain_delay_ns = 1500 * NS_PER_MS;
    options.announce = on_announce;
    options.begun = on_begun;
    supervise_workers(1, OBEDIENT);
    start();
    pid_t pid = worker_pid(0, 0);
    WAIT_UNTIL(shared->begun_asked, 3);
    uint64_t asked_ns = clock_ns();
    kill(supervisor, SIGTERM);
    WAIT_UNTIL(shared->announced, 1);
    kill(pid, SIGKILL); /* it is started again meanwhile */
    WAIT_UNTIL(shared->starts[0], 2);
    ck_assert_int_eq(shared->released, 0);
    expect_end(0);
    ck_assert_uint_ge(clock_ns() - asked_ns, 1500 * NS_PER_MS);
    ck_assert_int_eq(shared->announced, 1);
    ck_assert_int_eq(shared->released, 1);
    ck_assert_int_eq(shared->begun_asked, 3);
}
END_TEST

START_TEST(second_term_does_not_wait_for_the_delay)
{
    options.drain_delay_ns = 3600 * NS_PER_SECOND;
    options.announce = on_announce;
    supervise_workers(1, OBEDIENT);
    start();
    worker_pid(0, 0);
    kill(supervisor, SIGTERM);
    WAIT_UNTIL(shared->announced, 1);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->terms[0], 1);
}
END_TEST

static uint64_t on_awake_since(const void *of, const struct supervised *process)
{
    (void)of;
    return process->index == 1 ? shared->awake_ns : 0;
}

/* Who is stopped, or does not come to wait, counts as absent, and is ended and started again. */
START_TEST(ends_who_does_not_move)
{
    options.hang_ns = 1500 * NS_PER_MS;
    options.awake_since = on_awake_since;
    options.absence = on_absence;
    supervise_workers(2, OBEDIENT);
    start();
    pid_t stopped = worker_pid(0, 0);
    worker_pid(1, 0);
    kill(stopped, SIGSTOP);
    WAIT_UNTIL(shared->absent_now, 1);
    shared->awake_ns = clock_ns();
    WAIT_UNTIL(shared->absent_now, 2);
    ck_assert_int_ne(worker_pid(0, stopped), stopped);
    WAIT_UNTIL(shared->starts[1], 2);
    shared->awake_ns = 0;
    kill(supervisor, SIGTERM);
    expect_end(0);
    expect_logged("was stopped by a signal for 1.");
    expect_logged("has not come to wait for ");
    expect_logged("was killed by signal 6 (Aborted)");
}
END_TEST

START_TEST(takes_int_and_quit_for_term)
{
    const int signals[] = {SIGINT, SIGQUIT};

    for (int i = 0; i < 2; i++) {
        memset(shared, 0, sizeof(*shared));
        supervise_workers(1, OBEDIENT);
        start();
        pid_t pid = worker_pid(0, 0);
        kill(pid, signals[i]); /* as a terminal does to all processes */
        kill(supervisor, signals[i]);
        expect_end(0);
        ck_assert_int_eq(shared->terms[0], 1);
    }
}
END_TEST

START_TEST(gives_processes_a_known_state)
{
    supervise_workers(1, OBEDIENT);
    processes[0].cpu = cpu_nth_usable(1);
    processes[0].index = 3;
    start();
    worker_pid(3, 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert(shared->ignores_int && shared->ignores_hup && shared->ignores_quit);
    ck_assert(shared->ignores_pipe);
    ck_assert_int_eq(shared->cpu, processes[0].cpu);
    ck_assert_str_eq(shared->name, "zcserve:w3");
    expect_logged("worker 3: here\n");
}
END_TEST

START_TEST(starts_again_who_was_killed)
{
    supervise_workers(2, OBEDIENT);
    start();
    worker_pid(1, 0);
    pid_t pid = worker_pid(0, 0);
    kill(pid, SIGKILL);
    ck_assert_int_ne(worker_pid(0, pid), pid);
    WAIT_UNTIL(shared->starts[0], 2);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->starts[0], 2);
    ck_assert_int_eq(shared->starts[1], 1);
    expect_logged("was killed by signal 9 (Killed); starting it again in 0.1 s");
}
END_TEST

START_TEST(starts_again_at_once_who_had_served)
{
    supervise_workers(1, OBEDIENT);
    start();
    pid_t pid = worker_pid(0, 0);
    usleep(1050000);
    kill(pid, SIGKILL);
    WAIT_UNTIL(shared->starts[0], 2);
    kill(supervisor, SIGTERM);
    expect_end(0);
    expect_logged("starting it again in 0.0 s");
}
END_TEST

/* It starts at 0, 0.1, 0.3, 0.7 and 1.5 s. Then the supervisor gives up: none has served. */
START_TEST(backs_off_and_gives_up)
{
    supervise_workers(1, CRASHING);
    start();
    expect_end(1);
    ck_assert_int_eq(shared->starts[0], 5);
    for (int i = 0; i < 4; i++) {
        uint64_t pause_ns = shared->started_ns[i + 1] - shared->started_ns[i];
        ck_assert_uint_ge(pause_ns, (100u << i) * NS_PER_MS - 5 * NS_PER_MS);
    }
    expect_logged(
        "starting it again in 0.1 s"); /* that the pauses are not longer is in the log: a */
    expect_logged(
        "starting it again in 0.2 s"); /* busy machine may start a process later          */
    expect_logged("starting it again in 0.4 s");
    expect_logged("starting it again in 0.8 s");
    ck_assert_int_eq(shared->released, 1);
    ck_assert_int_eq(shared->finished, 1);
    expect_logged("ended with code 3");
    expect_logged("giving up");
}
END_TEST

START_TEST(stops_at_once_when_told_twice)
{
    supervise_workers(2, STUBBORN);
    start();
    worker_pid(0, 0);
    worker_pid(1, 0);
    kill(supervisor, SIGTERM);
    WAIT_UNTIL(shared->terms[0], 1);
    WAIT_UNTIL(shared->terms[1], 1);
    ck_assert_int_eq(shared->usr2s[0], 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->usr2s[0], 1);
    ck_assert_int_eq(shared->usr2s[1], 1);
    ck_assert_int_eq(shared->released, 1);
}
END_TEST

START_TEST(loses_patience_with_the_stubborn)
{
    options.drain_ns = 100 * NS_PER_MS;
    supervise_workers(1, STUBBORN);
    start();
    worker_pid(0, 0);
    uint64_t asked_ns = clock_ns();
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_uint_ge(clock_ns() - asked_ns, 100 * NS_PER_MS);
    ck_assert_int_eq(shared->usr2s[0], 1);
    expect_logged("draining took too long");
}
END_TEST

START_TEST(kills_the_deaf)
{
    options.drain_ns = 0;
    supervise_workers(1, DEAF);
    start();
    worker_pid(0, 0);
    uint64_t asked_ns = clock_ns();
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_uint_ge(clock_ns() - asked_ns, NS_PER_SECOND);
    ck_assert_int_eq(shared->usr2s[0], 1);
    ck_assert_int_eq(shared->finished, 1);
    expect_logged("was killed by signal 9");
}
END_TEST

START_TEST(does_not_start_again_while_draining)
{
    supervise_workers(2, STUBBORN);
    start();
    worker_pid(0, 0);
    worker_pid(1, 0);
    kill(supervisor, SIGTERM);
    WAIT_UNTIL(shared->terms[0], 1);
    kill(shared->pid[0], SIGKILL);
    usleep(300000);
    ck_assert_int_eq(shared->starts[0], 1);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->starts[0], 1);
}
END_TEST

START_TEST(passes_usr1_on_and_reopens_its_log)
{
    char renamed[80];

    supervise_workers(2, OBEDIENT);
    start();
    worker_pid(0, 0);
    worker_pid(1, 0);
    snprintf(renamed, sizeof(renamed), "%s.1", errors);
    ck_assert_int_eq(rename(errors, renamed), 0);
    kill(supervisor, SIGUSR1);
    WAIT_UNTIL(shared->usr1s[0], 1);
    WAIT_UNTIL(shared->usr1s[1], 1);
    kill(supervisor, SIGTERM);
    expect_end(0);
    unlink(renamed);
}
END_TEST

/*
 * A worker is absent from its first failure until it has lived for a second, through all tries.
 * Each end of the worker is reported, and its return.
 */
START_TEST(tells_who_is_absent)
{
    options.absence = on_absence;
    supervise_workers(3, FIRST_CRASHES);
    start();
    WAIT_UNTIL(shared->absences, 1);
    ck_assert_int_eq(shared->absent_now, 1);
    WAIT_UNTIL(shared->urgs[1], 1);
    WAIT_UNTIL(shared->urgs[2], 1);
    WAIT_UNTIL(shared->absences, 4);
    ck_assert_int_eq(shared->absent_now, 0);
    ck_assert_int_eq(shared->starts[0], 4);
    /* The third failure came after this time, then the pause of 0.4 s, then a second of life. */
    ck_assert_uint_ge(clock_ns() - shared->started_ns[2], NS_PER_SECOND * 14 / 10);
    kill(worker_pid(1, 0), SIGKILL); /* it had served, so it is started again at once */
    WAIT_UNTIL(shared->absences, 5);
    ck_assert_int_eq(shared->absent_now, 0);
    WAIT_UNTIL(shared->starts[1], 2);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->absences, 5);
}
END_TEST

/* The kernel tells the workers that their supervisor was killed. */
START_TEST(workers_do_not_outlive_the_supervisor)
{
    int status = 0;

    supervise_workers(2, OBEDIENT);
    start();
    pid_t pid[2] = {worker_pid(0, 0), worker_pid(1, 0)};
    kill(supervisor, SIGKILL);
    ck_assert_int_eq(waitpid(supervisor, &status, 0), supervisor);
    for (int i = 0; i < 2; i++) {
        WAIT_UNTIL(shared->terms[i], 1);
        ck_assert_int_eq(waitpid(pid[i], &status, 0), pid[i]);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

START_TEST(ends_when_a_process_cannot_be_started)
{
    supervise_workers(2, OBEDIENT);
    supervisor = fork();
    if (supervisor == 0) {
        /* Becomes a user who may not have another process. */
        struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        supervise_prepare();
        setrlimit(RLIMIT_NPROC, &none);
        if (getuid() == 0 && setuid(61234) < 0) _exit(99);
        /* Not exit(): a leak check at its end would need another process. */
        _exit(supervise(processes, count, &options));
    }
    expect_end(1);
    ck_assert_int_eq(shared->starts[0], 0);
    ck_assert_int_eq(shared->released, 1);
    ck_assert_int_eq(shared->finished, 1);
    expect_logged("cannot start worker 0: Resource temporarily unavailable");
}
END_TEST

/* ---- with a recorder ------------------------------------------------------------------------- */

#define LINES 500

static struct access_recorder recorder;

/* A worker that writes log lines when it starts, and then waits. */
static int serve_and_log(const void *of, uint32_t index)
{
    struct exchange record = {.method_name = TEXT("GET"), .target = TEXT("/"), .status = 200};
    struct now now = {0};
    struct access_log *log =
        access_log_open(recorder.sender, ACCESS_COMBINED, 0, 4096, NS_PER_SECOND, &shared->dropped);

    for (int i = 0; i < LINES; i++) {
        now_read(&now);
        access_log_write(log, &record, NULL, &now);
    }
    access_log_close(log);
    return serve(of, index);
}

static int record(const void *of, uint32_t index)
{
    (void)of;
    shared->starts[index]++;
    shared->pid[index] = getpid();
    return access_recorder_run(&recorder);
}

static void close_recorder(const void *of)
{
    on_finish(of);
    access_recorder_close(&recorder);
}

static void start_with_recorder(void)
{
    ck_assert_int_eq(access_recorder_open(&recorder, access_path), 0);
    supervise_workers(2, OBEDIENT);
    processes[0].run = serve_and_log;
    processes[1] =
        (struct supervised){.name = "recorder", .run = record, .index = 1, .last = true, .cpu = -1};
    options.finish = close_recorder;
    start();
    access_recorder_close(&recorder);
    worker_pid(0, 0);
    worker_pid(1, 0);
}

static int lines_recorded(void)
{
    FILE *in = fopen(access_path, "r");
    int lines = 0;

    ck_assert_ptr_nonnull(in);
    for (int c = 0; (c = fgetc(in)) != EOF;)
        lines += c == '\n';
    fclose(in);
    return lines;
}

static void await_lines(int lines)
{
    for (int i = 0; i < 3000 && lines_recorded() < lines; i++)
        usleep(1000);
    ck_assert_int_eq(lines_recorded(), lines);
}

START_TEST(recorder_outlives_the_workers)
{
    start_with_recorder();
    kill(shared->pid[0], SIGKILL);
    WAIT_UNTIL(shared->starts[0], 2);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->starts[1], 1); /* the first recorder is still running */
    ck_assert_uint_eq(shared->dropped, 0);
    ck_assert_int_eq(lines_recorded(), 2 * LINES);
}
END_TEST

START_TEST(recorder_is_started_again_and_goes_on)
{
    start_with_recorder();
    await_lines(LINES); /* lines that a recorder has taken and not written are lost with it */
    pid_t pid = shared->pid[1];
    kill(pid, SIGSTOP);
    pid_t worker = shared->pid[0];
    kill(worker, SIGKILL);
    worker_pid(0, worker); /* the lines of the new worker wait in the socket */
    kill(pid, SIGKILL);
    worker_pid(1, pid);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->starts[1], 2);
    ck_assert_int_eq(lines_recorded(), 2 * LINES);
}
END_TEST

/* When it must stop at once, the supervisor gives a hanging recorder one second. */
START_TEST(recorder_that_hangs_is_given_up)
{
    start_with_recorder();
    kill(shared->pid[1], SIGSTOP);
    kill(supervisor, SIGTERM);
    WAIT_UNTIL(shared->finished, 1);
    uint64_t asked_ns = clock_ns();
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_uint_ge(clock_ns() - asked_ns, NS_PER_SECOND);
    ck_assert_uint_lt(clock_ns() - asked_ns, 3 * NS_PER_SECOND);
    expect_logged("giving it up");
}
END_TEST

/* ---- a pool ---------------------------------------------------------------------------------- */

/* Wants only worker 0 for half a second, then both, then only the second. */
static uint64_t adjust_in_turns(const void *of, struct supervised *among, uint32_t among_count)
{
    static int looks;

    (void)of, (void)among_count;
    among[0].unwanted = looks >= 10;
    among[1].unwanted = looks < 5;
    looks++;
    return 100 * NS_PER_MS;
}

START_TEST(starts_and_ends_as_a_pool_wants)
{
    supervise_workers(2, OBEDIENT);
    processes[1].unwanted = true;
    options.adjust = adjust_in_turns;
    uint64_t began_ns = clock_ns();
    start();
    WAIT_UNTIL(shared->starts[0], 1);
    ck_assert_int_eq(shared->starts[1], 0);
    WAIT_UNTIL(shared->starts[1], 1);
    ck_assert_uint_ge(clock_ns() - began_ns, 400 * NS_PER_MS);
    ck_assert_int_eq(shared->terms[0], 0);
    WAIT_UNTIL(shared->terms[0], 1);
    for (int i = 0; i < 200 && kill(shared->pid[0], 0) == 0; i++)
        usleep(50000);
    ck_assert_int_eq(kill(shared->pid[0], 0), -1);
    usleep(300000);
    ck_assert_int_eq(shared->terms[0], 1);
    ck_assert_int_eq(shared->starts[0], 1); /* it has ended, and is not wanted any more */
    ck_assert_int_eq(shared->terms[1], 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->terms[1], 1);
    ck_assert_int_eq(shared->starts[1], 1);
}
END_TEST

/* ---- generations ------------------------------------------------------------------------------ */

static enum temper temper_of_next;
static uint32_t next_first; /* the index of the first worker of the next generation */

static int serve_next(const void *of, uint32_t index)
{
    temper = temper_of_next;
    return serve(of, index);
}

/* The next generation uses the entries, and the notes, that the present one does not use. */
static bool on_reload(const void *of)
{
    (void)of;
    shared->reloads++;
    if (temper_of_next == REFUSED) return false;
    for (uint32_t i = next_first; i < next_first + 2; i++)
        processes[i] = (struct supervised){.name = "worker",
                                           .run = serve_next,
                                           .index = i,
                                           .cpu = -1,
                                           .generation = GENERATION_NEXT};
    return true;
}

static bool on_serves(const void *of)
{
    (void)of;
    return shared->serves[next_first] && shared->serves[next_first + 1];
}

static void on_replaced(const void *of)
{
    (void)of;
    next_first = 2 - next_first;
    shared->serves[next_first] = shared->serves[next_first + 1] = false;
    shared->replaced++;
}

static void on_failed(const void *of)
{
    (void)of;
    shared->failed++;
}

/* Two workers serve, and there is room for two more. */
static void start_reloadable(enum temper of_now, enum temper of_next)
{
    supervise_workers(2, of_now);
    processes[2] = processes[3] = (struct supervised){.run = NULL};
    count = 4;
    next_first = 2;
    temper_of_next = of_next;
    options.reload = on_reload;
    options.serves = on_serves;
    options.replaced = on_replaced;
    options.failed = on_failed;
    start();
    worker_pid(0, 0);
    worker_pid(1, 0);
}

START_TEST(reload_replaces_the_workers)
{
    start_reloadable(OBEDIENT, OBEDIENT);
    for (int i = 1; i <= 4; i++) {
        kill(supervisor, SIGHUP);
        WAIT_UNTIL(shared->replaced, i);
        WAIT_UNTIL(shared->terms[0], (i + 1) / 2);
        WAIT_UNTIL(shared->terms[1], (i + 1) / 2);
        WAIT_UNTIL(shared->terms[2], i / 2);
    }
    ck_assert_int_eq(shared->starts[0], 3);
    ck_assert_int_eq(shared->starts[3], 2);
    ck_assert_int_eq(shared->released, 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->terms[0], 3);
    ck_assert_int_eq(shared->terms[3], 2);
    ck_assert_int_eq(shared->failed, 0);
}
END_TEST

START_TEST(reload_that_is_refused_changes_nothing)
{
    start_reloadable(OBEDIENT, REFUSED);
    kill(supervisor, SIGHUP);
    WAIT_UNTIL(shared->reloads, 1);
    usleep(50000);
    ck_assert_int_eq(shared->terms[0] + shared->terms[1] + shared->starts[2], 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
}
END_TEST

/* One of the new workers cannot begin: the others end, those that served go on, and a next reload is possible. */
START_TEST(reload_that_fails_changes_nothing)
{
    start_reloadable(OBEDIENT, CRASHING);
    for (int i = 1; i <= 2; i++) {
        kill(supervisor, SIGHUP);
        WAIT_UNTIL(shared->failed, i);
    }
    ck_assert_int_eq(shared->starts[2], 2);
    ck_assert_int_eq(shared->terms[0] + shared->terms[1] + shared->replaced, 0);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->starts[0], 1);
}
END_TEST

/* Workers that do not obey get USR2 when they had their time, and KILL a second later. A reload that
 * is asked for meanwhile waits for that. */
START_TEST(reload_ends_the_deaf)
{
    options.drain_ns = 300 * NS_PER_MS;
    start_reloadable(DEAF, OBEDIENT);
    kill(supervisor, SIGHUP);
    WAIT_UNTIL(shared->replaced, 1);
    uint64_t began_ns = clock_ns();
    kill(supervisor, SIGHUP);
    WAIT_UNTIL(shared->usr2s[0], 1);
    ck_assert_uint_ge(clock_ns() - began_ns, 250 * NS_PER_MS);
    ck_assert_int_eq(shared->reloads, 1);
    WAIT_UNTIL(shared->replaced, 2);
    ck_assert_uint_ge(clock_ns() - began_ns, 1200 * NS_PER_MS);
    expect_logged("was killed by signal 9");
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->terms[0] + shared->terms[1], 4); /* the deaf, and their successors */
}
END_TEST

START_TEST(stop_during_a_reload)
{
    start_reloadable(STUBBORN, OBEDIENT);
    kill(supervisor, SIGHUP);
    WAIT_UNTIL(shared->replaced, 1);
    WAIT_UNTIL(shared->terms[0], 1);
    kill(supervisor, SIGTERM);
    WAIT_UNTIL(shared->terms[2], 1);
    kill(supervisor, SIGTERM);
    expect_end(0);
    ck_assert_int_eq(shared->usr2s[0], 1);
    ck_assert_int_eq(shared->released, 1);
    ck_assert_int_eq(shared->finished, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("supervise");
    TCase *cases = tcase_create("supervise");
    tcase_set_timeout(cases, 10);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, announces_before_it_drains);
    tcase_add_test(cases, second_term_does_not_wait_for_the_delay);
    tcase_add_test(cases, ends_who_does_not_move);
    tcase_add_test(cases, drains_on_term);
    tcase_add_test(cases, takes_int_and_quit_for_term);
    tcase_add_test(cases, gives_processes_a_known_state);
    tcase_add_test(cases, starts_again_who_was_killed);
    tcase_add_test(cases, starts_again_at_once_who_had_served);
    tcase_add_test(cases, backs_off_and_gives_up);
    tcase_add_test(cases, stops_at_once_when_told_twice);
    tcase_add_test(cases, loses_patience_with_the_stubborn);
    tcase_add_test(cases, kills_the_deaf);
    tcase_add_test(cases, does_not_start_again_while_draining);
    tcase_add_test(cases, passes_usr1_on_and_reopens_its_log);
    tcase_add_test(cases, tells_who_is_absent);
    tcase_add_test(cases, workers_do_not_outlive_the_supervisor);
    tcase_add_test(cases, ends_when_a_process_cannot_be_started);
    tcase_add_test(cases, recorder_outlives_the_workers);
    tcase_add_test(cases, recorder_is_started_again_and_goes_on);
    tcase_add_test(cases, recorder_that_hangs_is_given_up);
    tcase_add_test(cases, starts_and_ends_as_a_pool_wants);
    tcase_add_test(cases, reload_replaces_the_workers);
    tcase_add_test(cases, reload_that_is_refused_changes_nothing);
    tcase_add_test(cases, reload_that_fails_changes_nothing);
    tcase_add_test(cases, reload_ends_the_deaf);
    tcase_add_test(cases, stop_during_a_reload);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
