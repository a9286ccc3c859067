/*
 * The supervisor: a loop with one wait, for a signal or a time. It serves no connection and opens
 * nothing, so that few things can end it before its processes.
 *
 *     SERVING ─TERM→ ANNOUNCING ─delay, TERM→ DRAINING ─deadline, TERM→ STOPPING ─1 s→ KILLING
 *                                                └── all but the last ended ──────────────┴─┐
 *                                                          LEAVING ←5 s─ FINISHING ←────────┘
 *
 * A process that fails at once is started again only after a pause. Only processes that the
 * supervisor started get its signals.
 */
#define _GNU_SOURCE
#include "process/generations.h"
#include "process/heartbeat.h"
#include "process/successor.h"
#include "zcserve/log.h"
#include "zcserve/notify.h"
#include "zcserve/sink.h"

#include <assert.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FAILURES_AT_FIRST_MAX 5

/* CHLD gets its default action: if it were ignored, as inherited, no exit code could be read. */
void supervise_prepare(void)
{
    sigset_t set = supervised_signals();

    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_DFL);
    sink_ignore_signals();
}

/* ---- all processes ---------------------------------------------------------------------------- */

static void supervise_tell(struct supervision *s, int signal_number, bool last)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->process[i].pid > 0 && s->process[i].last == last)
            kill(s->process[i].pid, signal_number);
}

static bool supervise_any(const struct supervision *s, bool last)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->process[i].pid > 0 && s->process[i].last == last) return true;
    return false;
}

/* Returns whether to start this process again. A `last` one may have input until FINISHING. */
static bool supervise_wants(const struct supervision *s, const struct supervised *process)
{
    if (!process->run || process->generation != GENERATION_NOW) return false;
    if (process->last) return s->stage < FINISHING && !process->unwanted;
    return supervise_accepts(s) && !process->unwanted;
}

/* ---- stages ----------------------------------------------------------------------------------- */

static void supervise_stop_at_once(struct supervision *s)
{
    s->stage = STOPPING;
    s->deadline_ns = now_monotonic_ns() + STOP_NS;
    supervise_tell(s, SIGUSR2, false);
}

void supervise_drain(struct supervision *s)
{
    s->stage = DRAINING;
    s->deadline_ns = now_monotonic_ns() + s->options->drain_ns;
    if (s->options->release) s->options->release(s->options->of);
    supervise_tell(s, SIGTERM, false);
}

static void supervise_finish(struct supervision *s)
{
    s->deadline_ns = now_monotonic_ns() + (s->stage == DRAINING ? LAST_NS : STOP_NS);
    s->stage = FINISHING;
    if (s->options->finish) s->options->finish(s->options->of);
}

/* Others learn that this server will stop, while it still serves; then it drains. */
static void supervise_announce(struct supervision *s)
{
    successor_give_up(s);
    if (s->options->announce) s->options->announce(s->options->of);
    if (s->options->drain_delay_ns == 0) {
        supervise_drain(s);
        return;
    }
    s->stage = ANNOUNCING;
    s->deadline_ns = now_monotonic_ns() + s->options->drain_delay_ns;
}

/* A signal asked for a stop: the first one drains, the second one stops at once. */
static void supervise_asked_to_stop(struct supervision *s, int signal_number)
{
    switch (s->stage) {
    case SERVING:
        log_notice("%s: draining", strsignal(signal_number));
        supervise_announce(s);
        break;
    case ANNOUNCING:
        log_notice("%s again: not waiting for timeouts.drain_delay", strsignal(signal_number));
        supervise_drain(s);
        break;
    case DRAINING:
        log_notice("%s again: stopping at once", strsignal(signal_number));
        supervise_stop_at_once(s);
        break;
    case FINISHING:
        if (s->deadline_ns > now_monotonic_ns() + STOP_NS)
            s->deadline_ns = now_monotonic_ns() + STOP_NS;
        break;
    case STOPPING:
    case KILLING:
    case LEAVING: break;
    }
}

static void supervise_deadline_passed(struct supervision *s)
{
    switch (s->stage) {
    case ANNOUNCING: supervise_drain(s); break;
    case DRAINING:
        log_warn("draining took too long: stopping at once");
        supervise_stop_at_once(s);
        break;
    case STOPPING:
        log_warn("stopping took too long: killing what is left");
        s->stage = KILLING;
        s->deadline_ns = NEVER;
        supervise_tell(s, SIGKILL, false);
        break;
    case FINISHING:
        log_warn("writing what is left took too long: giving it up");
        s->stage = LEAVING;
        s->deadline_ns = NEVER;
        supervise_tell(s, SIGKILL, true);
        break;
    case SERVING:
    case KILLING:
    case LEAVING: break;
    }
}

static void supervise_reopen(struct supervision *s)
{
    int result = log_reopen();

    if (result < 0) log_error("cannot reopen the error log: %s", strerror(-result));
    if (s->options->reopen) s->options->reopen(s->options->of);
    supervise_tell(s, SIGUSR1, false);
    supervise_tell(s, SIGUSR1, true);
}

static void supervise_signalled(struct supervision *s, int signal_number)
{
    switch (signal_number) {
    case SIGTERM:
    case SIGINT:
    case SIGQUIT: supervise_asked_to_stop(s, signal_number); break;
    case SIGUSR1: supervise_reopen(s); break;
    case SIGHUP: generations_ask(s); break;
    case SIGUSR2: successor_ask(s); break;
    default: break; /* CHLD: supervise_reap() looks in each turn. */
    }
}

/* ---- the loop --------------------------------------------------------------------------------- */

static void supervise_take_end(struct supervision *s, struct supervised *process, int status)
{
    supervised_end(process, status, supervise_wants(s, process), now_monotonic_ns());
    s->ended = true;
    s->served = s->served || (!process->last && process->failures == 0);
}

static void supervise_take_change(struct supervision *s, struct supervised *process, int status)
{
    if (WIFSTOPPED(status) || WIFCONTINUED(status))
        heartbeat_stopped(process, WIFSTOPPED(status), now_monotonic_ns());
    else
        supervise_take_end(s, process, status);
}

/* The first process of a container also inherits orphans: it waits for them and ignores them. */
static void supervise_reap(struct supervision *s)
{
    int status = 0;
    pid_t pid = 0;

    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
        if (pid == s->successor) successor_take_end(s, status);
        for (uint32_t i = 0; i < s->count; i++)
            if (s->process[i].pid == pid) supervise_take_change(s, &s->process[i], status);
    }
}

/* Gives up when a process failed too often and no process has served yet. */
static void supervise_check_hopeless(struct supervision *s)
{
    for (uint32_t i = 0; i < s->count && s->stage == SERVING && !s->served; i++) {
        if (s->process[i].failures >= FAILURES_AT_FIRST_MAX) {
            log_error("%s %u failed %u times before any process served: giving up",
                      s->process[i].name, s->process[i].index, s->process[i].failures);
            s->result = 1;
            supervise_drain(s);
        }
    }
}

/* supervise_take_turn() starts those that are wanted again, and tells the unwanted to end. */
static void supervise_adjust(struct supervision *s, uint64_t now_ns)
{
    uint32_t count;
    if (s->stage != SERVING || now_ns < s->adjust_ns) return;
    struct supervised *processes = generation_now(s, &count);
    s->adjust_ns = now_ns + s->options->adjust(s->options->of, processes, count);
}

/*
 * Returns until when a process counts as absent, unless it ends before that; 0: it is not absent.
 */
static uint64_t supervise_absent_until(const struct supervised *process)
{
    if (process->last || process->unwanted || process->generation != GENERATION_NOW) return 0;
    if (process->late) return NEVER;
    if (process->failures == 0) return 0;
    return process->pid > 0 ? process->started_ns + SUPERVISED_AT_ONCE_NS : NEVER;
}

/* Reports changes of absence, so that others do the work. Returns when to check again. */
static uint64_t supervise_check_absence(struct supervision *s, uint64_t now_ns)
{
    uint64_t next_ns = NEVER;
    bool changed = s->ended;

    s->ended = false;
    if (!supervise_accepts(s) || !s->options->absence) return NEVER;
    for (uint32_t i = 0; i < s->count; i++) {
        struct supervised *process = &s->process[i];
        uint64_t until_ns = supervise_absent_until(process);
        bool absent = until_ns > now_ns;
        changed = changed || absent != process->absent;
        process->absent = absent;
        if (absent && until_ns < next_ns) next_ns = until_ns;
    }
    if (changed) {
        uint32_t count;
        const struct supervised *processes = generation_now(s, &count);
        s->options->absence(s->options->of, processes, count);
        supervise_tell(s, SIGURG, false);
    }
    return next_ns;
}

/* Asks whether the first processes serve, until they do. Returns when to ask again. */
static uint64_t supervise_check_begun(struct supervision *s, uint64_t now_ns)
{
    if (s->begun || !s->options->begun || s->stage != SERVING) return NEVER;
    s->begun = s->options->begun(s->options->of);
    return s->begun ? NEVER : now_ns + LOOK_NS;
}

/* Does what is due besides starting processes. Returns when the next of it is due. */
static uint64_t supervise_take_duties(struct supervision *s, uint64_t now_ns)
{
    uint64_t next_ns = s->deadline_ns;
    supervise_adjust(s, now_ns);
    if (s->stage == SERVING && s->adjust_ns < next_ns) next_ns = s->adjust_ns;
    const uint64_t due_ns[] = {
        generations_take_turn(s, now_ns),
        supervise_check_begun(s, now_ns),
        successor_take_turn(s, now_ns),
        heartbeat_take_turn(s, now_ns),
        s->options->notify ? notify_beat(s->options->notify, now_ns) : NEVER,
    };
    for (size_t i = 0; i < sizeof(due_ns) / sizeof(due_ns[0]); i++)
        if (due_ns[i] < next_ns) next_ns = due_ns[i];
    return next_ns;
}

/* Starts the processes that are due. Returns when the next thing is due. */
static uint64_t supervise_take_turn(struct supervision *s)
{
    uint64_t now_ns = now_monotonic_ns();
    uint64_t next_ns = supervise_take_duties(s, now_ns);

    for (uint32_t i = 0; i < s->count; i++) {
        struct supervised *process = &s->process[i];
        if (process->pid > 0) {
            s->served = s->served ||
                        (!process->last && now_ns - process->started_ns >= SUPERVISED_AT_ONCE_NS);
        } else if (supervise_wants(s, process)) {
            if (process->restart_ns <= now_ns) supervised_start(process, s->pid, now_ns);
            if (process->pid == 0 && process->restart_ns < next_ns) next_ns = process->restart_ns;
        }
    }
    uint64_t absence_ns = supervise_check_absence(s, now_ns);
    return absence_ns < next_ns ? absence_ns : next_ns;
}

/* Waits for a signal. Returns its number, or 0 when the time was reached first. */
static int supervise_wait(uint64_t until_ns)
{
    sigset_t set = supervised_signals();
    uint64_t now_ns = now_monotonic_ns();
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_SECOND),
                            .tv_nsec = (long)(left_ns % NS_PER_SECOND)};
    int signal_number = sigtimedwait(&set, NULL, until_ns == NEVER ? NULL : &left);

    return signal_number < 0 ? 0 : signal_number;
}

static void supervise_start_all(struct supervision *s)
{
    for (uint32_t i = 0; i < s->count && s->result == 0; i++) {
        if (s->process[i].unwanted || !s->process[i].run) continue;
        if (supervised_start(&s->process[i], s->pid, now_monotonic_ns()) < 0) {
            s->result = 1;
            supervise_drain(s);
        }
    }
}

int supervise(struct supervised *processes, uint32_t count, const struct supervise_options *options)
{
    struct supervision s = {.process = processes,
                            .count = count,
                            .options = options,
                            .deadline_ns = NEVER,
                            .adjust_ns = !options->adjust ? NEVER : 0,
                            .pid = getpid()};

    assert(count > 0);
    supervise_start_all(&s);
    for (;;) {
        supervise_reap(&s);
        supervise_check_hopeless(&s);
        if (!supervise_accepts(&s) && s.stage < FINISHING && !supervise_any(&s, false))
            supervise_finish(&s);
        if (s.stage >= FINISHING && !supervise_any(&s, true)) return s.result;
        supervise_signalled(&s, supervise_wait(supervise_take_turn(&s)));
        if (now_monotonic_ns() >= s.deadline_ns) supervise_deadline_passed(&s);
    }
}
