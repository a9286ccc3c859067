/*
 * The supervisor's part in an upgrade. The successor is started beside the processes that serve. It
 * gets copies of the listeners, opens everything, starts its own processes, and says when they
 * serve. Only then this supervisor drains. Until that moment nothing has changed here, so whatever
 * happens to the successor, these processes go on.
 */
#include "process/successor.h"
#include "zcserve/log.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void successor_ask(struct supervision *s)
{
    if (s->options->upgrade && s->stage == SERVING && s->successor == 0) s->upgrade_asked = true;
}

static void successor_begin(struct supervision *s, uint64_t now_ns)
{
    s->upgrade_asked = false;
    s->successor = s->options->upgrade(s->options->of);
    s->successor_until_ns = now_ns + START_NS;
}

static void successor_fail(struct supervision *s, const char *why)
{
    s->successor = 0;
    s->options->upgrade_failed(s->options->of, why);
}

/* Its own processes get TERM when it dies. KILL also ends a program that does not know TERM yet. */
static void successor_kill(struct supervision *s, const char *why)
{
    kill(s->successor, SIGKILL);
    successor_fail(s, why);
}

static void successor_look(struct supervision *s, uint64_t now_ns)
{
    if (s->options->succeeded(s->options->of)) {
        s->successor = 0;
        supervise_drain(s);
    } else if (now_ns >= s->successor_until_ns) {
        successor_kill(s, "did not serve in time");
    }
}

uint64_t successor_take_turn(struct supervision *s, uint64_t now_ns)
{
    if (s->stage != SERVING) return NEVER;
    if (s->successor > 0)
        successor_look(s, now_ns);
    else if (s->upgrade_asked && s->next_until_ns == 0)
        successor_begin(s, now_ns);
    return s->successor > 0 ? now_ns + LOOK_NS : NEVER;
}

void successor_take_end(struct supervision *s, int status)
{
    char why[96];
    if (WIFSTOPPED(status) || WIFCONTINUED(status)) return;
    if (WIFSIGNALED(status))
        snprintf(why, sizeof(why), "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(why, sizeof(why), "ended with code %d before it served", WEXITSTATUS(status));
    successor_fail(s, why);
}

void successor_give_up(struct supervision *s)
{
    s->upgrade_asked = false;
    if (s->successor > 0) successor_kill(s, "was killed, because the server was told to stop");
}
