/*
 * Counts calls by site, and decides which one fails. The board is a file named by INJECT_BOARD;
 * without it nothing is counted and nothing fails. A process that gets the signal SIGRTMIN+4 tries
 * whether it is confined.
 */
#include "board.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MODULES_MAX 64
#define OUTSIDE "/etc/passwd" /* everyone may read it, and no server that is confined */

static struct board *board;
_Thread_local bool board_memory_rests;

/* Where each module lies, in the order of loading, which is the same in every process. */
static struct module {
    uintptr_t begin, end;
} modules[MODULES_MAX];
static size_t modules_count;

static int module_take(struct dl_phdr_info *info, size_t size, void *of)
{
    (void)size, (void)of;
    struct module module = {.begin = info->dlpi_addr};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t end = info->dlpi_addr + part->p_vaddr + part->p_memsz;
        if (part->p_type == PT_LOAD && end > module.end) module.end = end;
    }
    if (modules_count < MODULES_MAX) modules[modules_count++] = module;
    return 0;
}

static long (*real_syscall)(long number, ...);

/* The call is made past the injector, and is one that the filter of a worker allows. */
static void on_try(int signal_number)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
    int before = errno;
    (void)signal_number;
    long fd = real_syscall(SYS_openat2, AT_FDCWD, OUTSIDE, &how, sizeof(how));
    if (fd >= 0) real_syscall(SYS_close, fd);
    if (fd >= 0) atomic_fetch_add(&board->opened, 1);
    atomic_fetch_add(&board->tried, 1);
    errno = before;
}

static void try_listen(void)
{
    struct sigaction action = {.sa_handler = on_try, .sa_flags = SA_RESTART};
    real_syscall = (long (*)(long, ...))real_find("syscall");
    sigaction(SIGRTMIN + 4, &action, NULL);
}

__attribute__((constructor)) static void board_open(void)
{
    const char *path = getenv("INJECT_BOARD");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    dl_iterate_phdr(module_take, NULL);
    void *memory = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) return;
    board = memory;
    try_listen();
}

void *real_find(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(99);
    return found;
}

/* The same in every process of a program: call (from bit 48), module (40), offset in the module (0). */
static uint64_t site_key(enum call call, const void *from)
{
    uintptr_t address = (uintptr_t)from;
    uint64_t place = (uint64_t)MODULES_MAX << 40;
    for (size_t i = 0; i < modules_count; i++) {
        if (address < modules[i].begin || address >= modules[i].end) continue;
        place = (uint64_t)i << 40 | (address - modules[i].begin);
        break;
    }
    return ((uint64_t)call + 1) << 48 | place;
}

static void site_count(uint64_t key)
{
    uint64_t start = (key * 0x9E3779B97F4A7C15u) >> 52;
    for (uint64_t i = 0; i < BOARD_SITES_MAX; i++) {
        struct site *site = &board->sites[(start + i) % BOARD_SITES_MAX];
        uint64_t there = 0;
        if (atomic_load(&site->key) == key ||
            atomic_compare_exchange_strong(&site->key, &there, key) || there == key) {
            atomic_fetch_add(&site->count, 1);
            return;
        }
    }
    atomic_fetch_add(&board->lost, 1);
}

int board_error(enum call call, const void *from)
{
    if (!board) return 0;
    uint64_t key = site_key(call, from);
    site_count(key);
    if (atomic_load(&board->armed) != key || atomic_fetch_sub(&board->left, 1) != 1) return 0;
    atomic_store(&board->pid, (int32_t)getpid());
    atomic_fetch_add(&board->fired, 1);
    return atomic_load(&board->error);
}

/* xorshift32: the seed on the board is its state, so that processes do not all draw the same numbers. */
static uint32_t draw(_Atomic uint32_t *seed)
{
    uint32_t x = atomic_load(seed);
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    atomic_store(seed, x);
    return x;
}

static bool is_program(const void *from)
{
    uintptr_t address = (uintptr_t)from;
    return address >= modules[0].begin && address < modules[0].end;
}

size_t board_shorten(size_t length, const void *from)
{
    if (!board || length < 2 || atomic_load(&board->shorten) == 0 || !is_program(from))
        return length;
    uint32_t drawn = draw(&board->shorten);
    if (drawn % 2 == 0) return length;
    size_t most = drawn % 8 == 1 ? 16 : length - 1; /* now and then only a few bytes */
    return 1 + (drawn >> 3) % (most < length ? most : length - 1);
}

uint32_t board_shuffle(uint32_t limit)
{
    if (!board || atomic_load(&board->shuffle) == 0) return limit;
    return draw(&board->shuffle) % limit;
}
