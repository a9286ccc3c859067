/*
 * Opening a model while descriptors are short: whichever descriptor cannot be had, open() returns NULL, and what it
 * had opened is closed and freed again. The leak sanitizer looks at the memory when each test ends.
 */
#include "core_site.h"
#include "model/models.h"
#include "skip.h"
#include "zcserve/signals.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SHORT_MAX 40 /* more descriptors than any model opens */

static struct core_site site;
static struct service service;

static void set_up(void)
{
    char problem[256];
    core_site_open(&site);
    sigset_t wishes;
    sigemptyset(&wishes);
    sigaddset(&wishes, SIGTERM);
    sigaddset(&wishes, SIGUSR1);
    sigaddset(&wishes, SIGUSR2);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &wishes, NULL), 0);
    service = site.service;
    service.processes = service.processes_first = 1;
    service.workers = 2;
    service.queue_max = service.drain_max = 8;
    service.fetches_max = 4;
    service.backlog = 16;
    service.addresses = 1;
    int error = listen_address_parse("127.0.0.1:0", &service.address[0], problem, sizeof(problem));
    ck_assert_msg(error == 0, "%s", problem);
    ck_assert_int_eq(service_open(&service, NULL, problem, sizeof(problem)), 0);
}

static void tear_down(void)
{
    service_listeners_leave(&service);
    service_close(&service, NULL);
    core_site_close(&site);
}

static int descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* Lets the process have `more` descriptors more than now. */
static void descriptors_limit(rlim_t more)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = more == RLIM_INFINITY ? limit.rlim_max : (rlim_t)descriptors() - 3 + more;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void open_with_few(const struct model *model)
{
    int before = descriptors();
    void *serving = NULL;
    rlim_t more = 0;
    while (!serving && more < SHORT_MAX) {
        descriptors_limit(more++);
        serving = model->open(&service, 0);
        descriptors_limit(RLIM_INFINITY);
        if (!serving) ck_assert_int_eq(descriptors(), before);
    }
    ck_assert_ptr_nonnull(serving);
    ck_assert_uint_gt(more, 2); /* it was short more than once */
    raise(SIGTERM);             /* run() finds it and ends */
    ck_assert_int_eq(model->run(serving), 0);
    model->close(serving);
    ck_assert_int_le(descriptors(), before); /* listeners are closed too */
}

START_TEST(prefork)
{
    open_with_few(&prefork_model);
}
END_TEST

START_TEST(threadpool)
{
    open_with_few(&threadpool_model);
}
END_TEST

START_TEST(epoll)
{
    open_with_few(&epoll_model);
}
END_TEST

START_TEST(io_uring)
{
    const char *problem = uring_model.problem(&service);
    SKIP_IF(problem, problem);
    open_with_few(&uring_model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *cases = tcase_create("model");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, prefork);
    tcase_add_test(cases, threadpool);
    tcase_add_test(cases, epoll);
    tcase_add_test(cases, io_uring);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
