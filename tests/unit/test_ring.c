/*
 * A ring by itself: it is opened and closed, it accepts, reports and cancels, and its buffers are
 * lent and given back.
 */
#include "core_disk.h"
#include "core_ring.h"
#include "skip.h"
#include "zcserve/model.h"
#include "zcserve/resident.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TAG 4096

static const struct uring_options none;
static struct ring ring;
static bool works;

static void set_up(void)
{
    works = core_ring_open(&ring, 8, &none);
}

static void tear_down(void)
{
    if (works) core_ring_close(&ring);
}

static int descriptors_count(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

struct completed {
    uint64_t user_data;
    int res;
    uint32_t flags;
};

/* Waits at most a second for the next completion. Returns what it says. */
static struct completed completion(void)
{
    struct io_uring_cqe *cqe;
    if (io_uring_peek_cqe(&ring.uring, &cqe) != 0) ring_turn(&ring, NS_PER_SECOND);
    ck_assert_int_eq(io_uring_peek_cqe(&ring.uring, &cqe), 0);
    struct completed copy = {cqe->user_data, cqe->res, cqe->flags};
    io_uring_cqe_seen(&ring.uring, cqe);
    return copy;
}

static bool nothing_completes(void)
{
    struct io_uring_cqe *cqe;
    ring_turn(&ring, NS_PER_SECOND / 100);
    return io_uring_peek_cqe(&ring.uring, &cqe) != 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

START_TEST(it_works_or_says_why_not)
{
    int before = descriptors_count();
    const char *problem = ring_problem();
    ck_assert(works == (problem == NULL));
    if (problem) ck_assert_int_eq(strncmp(problem, "io_uring: ", 10), 0);
    ck_assert_int_eq(descriptors_count(), before);
}
END_TEST

/* Forbids the call, as the profile of a container does. */
static void setup_forbid(int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static const struct {
    int error;
    const char *says;
} refusals[] = {
    {ENOSYS, "no io_uring"}, {EPERM, "kernel.io_uring_disabled"},
    {ENOMEM, "ulimit -l"},   {EMFILE, "ulimit -n"},
    {EINVAL, "too old"},     {EACCES, "ermission"},
};

START_TEST(refused_with_a_remedy)
{
    struct ring other;
    char problem[256] = "";
    setup_forbid(refusals[_i].error);
    ck_assert_int_eq(ring_open(&other, 8, &none, problem, sizeof(problem)), -refusals[_i].error);
    const char *says = refusals[_i].says;
    if (refusals[_i].error == EPERM && !strstr(problem, says)) says = "seccomp";
    ck_assert_msg(strstr(problem, says) != NULL, "%s", problem);
    ck_assert_str_eq(ring_problem(), problem);
}
END_TEST

/* Opens nothing, also when the ring is told to; what a worker needs goes on. */
START_TEST(restricted_to_what_a_worker_needs)
{
    static const struct uring_options restricted = {.restricted = true};
    int pair[2];
    SKIP_IF(!works, "io_uring does not work here");
    core_ring_close(&ring);
    works = core_ring_open(&ring, 8, &restricted);
    ck_assert(works);
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring.uring);
    io_uring_prep_openat(sqe, AT_FDCWD, "/dev/null", O_RDONLY, 0);
    ck_assert_int_eq(completion().res, -EACCES);
    sqe = io_uring_get_sqe(&ring.uring);
    io_uring_prep_socket(sqe, AF_INET, SOCK_STREAM, 0, 0);
    ck_assert_int_eq(completion().res, -EACCES);
    sqe = io_uring_get_sqe(&ring.uring);
    io_uring_prep_nop(sqe);
    sqe->personality = 1; /* the rights of somebody else */
    ck_assert_int_lt(completion().res, 0);
    ck_assert_int_eq(io_uring_register_files(&ring.uring, pair, 0), -EACCES);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ring_await_readable(&ring, pair[0], TAG);
    ck_assert(nothing_completes());
    ck_assert_int_eq(write(pair[1], "a", 1), 1);
    ck_assert_int_eq(completion().res, 1 /* POLLIN */);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(no_descriptor_left)
{
    struct rlimit before, limit;
    getrlimit(RLIMIT_NOFILE, &before);
    limit = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &limit);
    const char *problem = ring_problem();
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_ptr_nonnull(problem);
    if (works) ck_assert_ptr_nonnull(strstr(problem, "ulimit -n"));
}
END_TEST

/* Whether it counts depends on kernel and user: a ring under a limit of 0 tells. */
START_TEST(memory_that_is_locked)
{
    struct rlimit before, after;
    char problem[256];
    struct ring other = {.lent = 0};
    int descriptors = descriptors_count();
    SKIP_IF(!works, ring_problem());
    if (geteuid() == 0) ck_assert_int_eq(seteuid(61999), 0); /* root may lock any memory */
    getrlimit(RLIMIT_MEMLOCK, &before);
    bool counts = ring_memory_counts();
    getrlimit(RLIMIT_MEMLOCK, &after);
    ck_assert(before.rlim_cur == after.rlim_cur && before.rlim_max == after.rlim_max);
    ck_assert_int_eq(descriptors_count(), descriptors);
    after.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &after), 0);
    int result = ring_open(&other, 8, &none, problem, sizeof(problem));
    ck_assert_int_eq(result, counts ? -ENOMEM : 0);
    if (result == 0) ring_close(&other);
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &before), 0);
    if (getuid() == 0) ck_assert_int_eq(seteuid(0), 0);
    ck_assert_uint_eq(rings_bytes(3), 3 * rings_bytes(1));
    ck_assert_uint_gt(rings_bytes(1), RING_COMPLETIONS * sizeof(struct io_uring_cqe));
}
END_TEST

/* The ring is closed while receives, polls and reads are under way. */
START_TEST(closed_within)
{
    struct ring other = {.lent = 0};
    char problem[256];
    int pair[2], before = descriptors_count();
    SKIP_IF(!works, ring_problem());
    ck_assert_int_eq(ring_open(&other, 8, &none, problem, sizeof(problem)), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ring_receive(&other, pair[0], TAG);
    ring_await_readable(&other, pair[1], TAG);
    ring_fetch(&other, pair[0], 0, RING_FETCH_BYTES, TAG);
    ring_turn(&other, 0);
    ring_close(&other);
    close(pair[0]);
    close(pair[1]);
    ck_assert_int_eq(descriptors_count(), before);
}
END_TEST

/* ---- turning --------------------------------------------------------------------------------- */

START_TEST(time_runs_out)
{
    struct now before, after;
    SKIP_IF(!works, ring_problem());
    now_read(&before);
    ring_turn(&ring, NS_PER_SECOND / 20);
    now_read(&after);
    ck_assert_uint_ge(after.monotonic_ns - before.monotonic_ns, NS_PER_SECOND / 20);
    ring_turn(&ring, 0); /* does not wait */
}
END_TEST

/* There are more operations than the queue holds: the kernel takes those that are in it. */
START_TEST(more_than_the_queue_holds)
{
    SKIP_IF(!works, ring_problem());
    int event = eventfd(1, EFD_CLOEXEC);
    for (uint64_t i = 0; i < 3 * RING_ENTRIES; i++)
        ring_cancel(&ring, 12345, i);
    for (uint64_t i = 0; i < 3 * RING_ENTRIES; i++) {
        struct completed cqe = completion();
        ck_assert_uint_eq(cqe.user_data, i);
        ck_assert_int_eq(cqe.res, -ENOENT);
    }
    close(event);
}
END_TEST

/* A file and its advice stay linked, also at the end of the queue. */
START_TEST(fetched_at_the_end_of_the_queue)
{
    SKIP_IF(!works, ring_problem());
    int file = core_disk_file(300000);
    core_disk_drop(file);
    for (int i = 0; i < RING_ENTRIES - 1 - _i; i++)
        ring_cancel(&ring, 12345, 0);
    ring_fetch(&ring, file, 0, RING_FETCH_BYTES, TAG);
    struct completed cqe;
    do {
        cqe = completion();
    } while (cqe.user_data != TAG);
    ck_assert_int_eq(cqe.res, 300000);
    ck_assert(resident(file, 0, 300000));
    close(file);
}
END_TEST

/* ---- accepting, waiting, cancelling ---------------------------------------------------------- */

static int listener_make(struct sockaddr_in *address)
{
    socklen_t length = sizeof(*address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)address, sizeof(*address)), 0);
    ck_assert_int_eq(listen(listener, 16), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)address, &length), 0);
    return listener;
}

START_TEST(accepts_again_and_again)
{
    struct sockaddr_in address;
    SKIP_IF(!works, ring_problem());
    int listener = listener_make(&address);
    ring_accept(&ring, listener, true, TAG);
    for (int i = 0; i < 5; i++) {
        int peer = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(peer, (struct sockaddr *)&address, sizeof(address)), 0);
        struct completed cqe = completion();
        ck_assert_uint_eq(cqe.user_data, TAG);
        ck_assert_int_ge(cqe.res, 0);
        ck_assert(cqe.flags & IORING_CQE_F_MORE);
        ck_assert(fcntl(cqe.res, F_GETFL) & O_NONBLOCK);
        ck_assert(fcntl(cqe.res, F_GETFD) & FD_CLOEXEC);
        close(cqe.res);
        close(peer);
    }
    ring_cancel(&ring, TAG, TAG + 1);
    struct completed first = completion(), second = completion();
    struct completed *accept = first.user_data == TAG ? &first : &second;
    ck_assert_uint_eq(first.user_data + second.user_data, 2 * TAG + 1);
    ck_assert_int_eq(accept->res, -ECANCELED);
    ck_assert(!(accept->flags & IORING_CQE_F_MORE));
    close(listener);
}
END_TEST

START_TEST(readable_again_and_again)
{
    SKIP_IF(!works, ring_problem());
    int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ring_await_readable(&ring, event, TAG);
    ck_assert(nothing_completes());
    for (int i = 0; i < 5; i++) {
        eventfd_t count;
        eventfd_write(event, 1);
        struct completed cqe = completion();
        ck_assert_uint_eq(cqe.user_data, TAG);
        ck_assert(cqe.flags & IORING_CQE_F_MORE);
        ck_assert_int_eq(eventfd_read(event, &count), 0);
        ck_assert(nothing_completes());
    }
    close(event);
}
END_TEST

/* ---- buffers --------------------------------------------------------------------------------- */

static void hold(struct held *held, uint16_t id, int length)
{
    struct io_uring_cqe cqe = {.res = length};
    cqe.flags = IORING_CQE_F_BUFFER | (uint32_t)id << IORING_CQE_BUFFER_SHIFT;
    memset(ring.memory + (size_t)id * RING_BUFFER_BYTES, 'a' + id, (size_t)length);
    ring_hold(&ring, held, &cqe);
}

/* Two owners hold buffers by turns. Each gets its own bytes, in order. */
START_TEST(held_by_two)
{
    struct held one = {0}, two = {0};
    char space[16];
    SKIP_IF(!works, ring_problem());
    hold(&one, 3, 2);
    hold(&two, 1, 3);
    hold(&one, 0, 1);
    hold(&one, 2, 2);
    ck_assert_uint_eq(ring.lent, 4);
    ck_assert_uint_eq(ring_take(&ring, &one, space, 4), 4);
    ck_assert_int_eq(memcmp(space, "ddac", 4), 0);
    ck_assert_uint_eq(ring.lent, 2);
    ck_assert_uint_eq(one.count, 1);
    ring_drop(&ring, &one);
    ck_assert_uint_eq(ring_take(&ring, &one, space, 4), 0);
    ck_assert_uint_eq(ring_take(&ring, &two, space, sizeof(space)), 3);
    ck_assert_int_eq(memcmp(space, "bbb", 3), 0);
    ck_assert_uint_eq(ring.lent, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *tcase = tcase_create("ring");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, it_works_or_says_why_not);
    tcase_add_loop_test(tcase, refused_with_a_remedy, 0, 6);
    tcase_add_test(tcase, restricted_to_what_a_worker_needs);
    tcase_add_test(tcase, no_descriptor_left);
    tcase_add_test(tcase, memory_that_is_locked);
    tcase_add_test(tcase, closed_within);
    tcase_add_test(tcase, time_runs_out);
    tcase_add_test(tcase, more_than_the_queue_holds);
    tcase_add_loop_test(tcase, fetched_at_the_end_of_the_queue, 0, 3);
    tcase_add_test(tcase, accepts_again_and_again);
    tcase_add_test(tcase, readable_again_and_again);
    tcase_add_test(tcase, held_by_two);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
