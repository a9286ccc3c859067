/*
 * A refused system call: the kernel sends SIGSYS instead of making it, to the thread that called.
 * The handler logs each call once, so that neither an attacker nor a new C library fills the log, and
 * sets the result as the kernel would. The call may be one that malloc(3) makes while it holds its lock,
 * so the handler takes no memory: the names of calls are written down before. Lines of the log need no lock.
 */
#define _GNU_SOURCE
#include "confine/refused.h"
#include "zcserve/log.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define CALLS_MAX 512
#define NAME_BYTES_MAX 32
#define ARGUMENTS 6

struct call {
    int number;
    unsigned long argument[ARGUMENTS];
};

#if defined(__x86_64__)
static struct call call_of(const ucontext_t *context, int number)
{
    const greg_t *r = context->uc_mcontext.gregs;
    return (struct call){number,
                         {(unsigned long)r[REG_RDI], (unsigned long)r[REG_RSI],
                          (unsigned long)r[REG_RDX], (unsigned long)r[REG_R10],
                          (unsigned long)r[REG_R8], (unsigned long)r[REG_R9]}};
}

static void result_set(ucontext_t *context, long result)
{
    context->uc_mcontext.gregs[REG_RAX] = result;
}
#elif defined(__aarch64__)
static struct call call_of(const ucontext_t *context, int number)
{
    const unsigned long long *r = context->uc_mcontext.regs;
    return (struct call){number,
                         {(unsigned long)r[0], (unsigned long)r[1], (unsigned long)r[2],
                          (unsigned long)r[3], (unsigned long)r[4], (unsigned long)r[5]}};
}

static void result_set(ucontext_t *context, long result)
{
    context->uc_mcontext.regs[0] = (unsigned long long)result;
}
#else
#define REGISTERS_UNKNOWN
#endif

bool refused_is_known(void)
{
#ifdef REGISTERS_UNKNOWN
    return false;
#else
    return true;
#endif
}

#ifndef REGISTERS_UNKNOWN
static int (*error_of_call)(int number);

/* Returns whether this call is refused for the first time in this process. */
static bool is_news(int number)
{
    static _Atomic unsigned long long told[CALLS_MAX / 64];
    if (number < 0 || number >= CALLS_MAX) return false;
    unsigned long long bit = 1ULL << (number % 64);
    return !(atomic_fetch_or(&told[number / 64], bit) & bit);
}

static char name_of[CALLS_MAX][NAME_BYTES_MAX];

static void names_write(void)
{
    for (int i = 0; i < CALLS_MAX; i++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
        snprintf(name_of[i], sizeof(name_of[i]), "%s", name ? name : "");
        free(name);
    }
}

static void refused_tell(const struct call *call)
{
    log_warn("the sandbox refused the system call %s (%d: %#lx, %#lx, %#lx); said once",
             name_of[call->number], call->number, call->argument[0], call->argument[1],
             call->argument[2]);
}

/* A call that is refused while a line is written fails without a line. */
static void refused_take(int signal_number, siginfo_t *info, void *context)
{
    static _Thread_local volatile bool telling;
    (void)signal_number;
    struct call call = call_of(context, info->si_syscall);
    result_set(context, -error_of_call(call.number));
    if (telling || !is_news(call.number)) return;
    telling = true;
    refused_tell(&call);
    telling = false;
}

void refused_listen(int (*error_of)(int number))
{
    error_of_call = error_of;
    names_write();
    struct sigaction action = {.sa_sigaction = refused_take,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigset_t set;
    sigaction(SIGSYS, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
#else
void refused_listen(int (*error_of)(int number))
{
    (void)error_of;
}
#endif
