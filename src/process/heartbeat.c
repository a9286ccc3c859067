/*
 * Ends processes that hang. A process notes in shared memory since when it has not waited: an event
 * loop when it wakes, a process with one connection in each tick. While it waits for work it has no
 * such note, so an idle process is never late. A process that was stopped by a signal writes no
 * note; of that waitpid(2) tells.
 *
 * A process that the kernel keeps waiting for a disk (state D) is left alone, however long it takes:
 * that is the disk's fault, a new process would wait for the same disk, and most of these waits end
 * at no signal. The processes of the models that wait for the disk themselves are left alone unless
 * they run: a network or FUSE file system may also let them sleep (state S).
 */
#define _GNU_SOURCE
#include "process/heartbeat.h"
#include "zcserve/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LATE_NS NS_PER_SECOND       /* without waiting, until others accept for it */
#define WATCH_MOST_NS NS_PER_SECOND /* between two looks                          */
#define KILL_NS NS_PER_SECOND       /* from ABRT to KILL: the core is written       */

enum { KILL_ABRT, KILL_KILL, KILLS };

void heartbeat_stopped(struct supervised *process, bool stopped, uint64_t now_ns)
{
    process->stopped_ns = stopped ? now_ns : 0;
}

char heartbeat_state(const char *stat_text)
{
    const char *name_end = strrchr(stat_text, ')');
    return name_end && name_end[1] == ' ' ? name_end[2] : '\0';
}

static char state_of(pid_t pid)
{
    char path[32], text[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return '\0';
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return heartbeat_state(text);
}

/* ---- stopped, or awake ------------------------------------------------------------------------- */

/* A note from before the start is that of a process which had the same place in the table. */
static uint64_t awake_since(const struct supervision *s, const struct supervised *process)
{
    if (!s->options->awake_since) return 0;
    uint64_t since_ns = s->options->awake_since(s->options->of, process);
    return since_ns > process->started_ns ? since_ns : 0;
}

/*
 * Returns whether the process hangs in its work. Two looks must find it in the same work; otherwise
 * it would be taken for hung after the whole machine had slept.
 */
static bool is_hung_awake(const struct supervision *s, struct supervised *process,
                          uint64_t since_ns, uint64_t now_ns)
{
    bool again = since_ns > 0 && process->seen_ns == since_ns;
    process->seen_ns = since_ns;
    if (!again || now_ns < since_ns + s->options->hang_ns) return false;
    char state = state_of(process->pid);
    return process->patient ? state == 'R' : state != 'D';
}

static bool is_hung_stopped(const struct supervision *s, const struct supervised *process,
                            uint64_t now_ns)
{
    return process->stopped_ns > 0 && now_ns >= process->stopped_ns + s->options->hang_ns;
}

/* ---- ending ----------------------------------------------------------------------------------- */

/* A process that is stopped gets KILL at once, because ABRT would not reach it. */
static void hung_begin(const struct supervision *s, struct supervised *process, uint64_t now_ns)
{
    bool stopped = process->stopped_ns > 0;
    uint64_t since_ns = stopped ? process->stopped_ns : process->seen_ns;
    log_error("%s %u (%d) %s for %.1f s: ending it; see timeouts.hang", process->name,
              process->index, (int)process->pid,
              stopped ? "was stopped by a signal" : "has not come to wait",
              (double)(now_ns - since_ns) / (double)NS_PER_SECOND);
    if (s->options->hung) s->options->hung(s->options->of, process);
    process->kills = stopped ? KILL_KILL : KILL_ABRT;
    process->kill_ns = now_ns;
}

/* Returns when the process gets the next signal, after it got the one that is due. */
static uint64_t hung_push(struct supervised *process, uint64_t now_ns)
{
    static const int signals[KILLS] = {SIGABRT, SIGKILL};
    if (process->kills == KILLS) return NEVER;
    if (now_ns < process->kill_ns) return process->kill_ns;
    kill(process->pid, signals[process->kills]);
    process->kills++;
    process->kill_ns = now_ns + KILL_NS;
    return process->kills == KILLS ? NEVER : process->kill_ns;
}

/* ---- the watch -------------------------------------------------------------------------------- */

/* Returns when the process is due again, besides the regular looks. */
static uint64_t process_watch(const struct supervision *s, struct supervised *process, bool look,
                              uint64_t now_ns)
{
    bool hung = is_hung_stopped(s, process, now_ns);
    if (process->kill_ns > 0) return hung_push(process, now_ns);
    if (look) {
        uint64_t since_ns = awake_since(s, process);
        hung = is_hung_awake(s, process, since_ns, now_ns) || hung;
        process->late = since_ns > 0 && now_ns >= since_ns + LATE_NS;
    }
    process->late = process->late || process->stopped_ns > 0;
    if (hung) {
        hung_begin(s, process, now_ns);
        return hung_push(process, now_ns);
    }
    return process->stopped_ns > 0 ? process->stopped_ns + s->options->hang_ns : NEVER;
}

/* Those of the generation BEFORE have a deadline already, and what describes them may be gone. */
static bool is_watched(const struct supervised *process)
{
    return process->run && !process->last && process->pid > 0 &&
           process->generation != GENERATION_BEFORE;
}

uint64_t heartbeat_take_turn(struct supervision *s, uint64_t now_ns)
{
    uint64_t often_ns = s->options->hang_ns / 4;
    if (s->options->hang_ns == 0) return NEVER;
    bool look = now_ns >= s->watch_ns;
    if (look) s->watch_ns = now_ns + (often_ns < WATCH_MOST_NS ? often_ns : WATCH_MOST_NS);
    uint64_t next_ns = s->watch_ns;
    for (uint32_t i = 0; i < s->count; i++) {
        struct supervised *process = &s->process[i];
        if (!is_watched(process)) continue;
        uint64_t due_ns = process_watch(s, process, look, now_ns);
        if (due_ns < next_ns) next_ns = due_ns;
    }
    return next_ns;
}
