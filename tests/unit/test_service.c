/*
 * What workers share: listeners, one port for all of them, and the message when there is none.
 */
#include "zcserve/service.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char problem[256];

static struct service service_of(uint32_t workers, const char *first, const char *second)
{
    struct service service = {.workers = workers, .backlog = 16};
    const char *const texts[] = {first, second};
    for (int i = 0; i < 2 && texts[i]; i++) {
        struct listen_address *address = &service.address[service.addresses++];
        ck_assert_int_eq(listen_address_parse(texts[i], address, problem, sizeof(problem)), 0);
    }
    return service;
}

static in_port_t port_of(int fd)
{
    struct sockaddr_in in;
    socklen_t length = sizeof(in);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
    return ntohs(in.sin_port);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Returns the n-th listener of an address, or -1. */
static int listener_of(const struct service *service, uint32_t n, uint32_t address)
{
    for (uint32_t i = 0; i < service->listeners; i++)
        if (service->listener[i].address == address && n-- == 0) return service->listener[i].fd;
    return -1;
}

static int connect_to(const struct service *service, uint32_t address)
{
    const struct listen_address *to = &service->address[address];
    int fd = socket(to->address.ss_family, SOCK_STREAM, 0);
    int result = connect(fd, (const struct sockaddr *)&to->address, to->length);
    close(fd);
    return result;
}

static void finish(struct service *service)
{
    service_listeners_leave(service);
    service_close(service, NULL);
}

START_TEST(workers_have_the_same_port)
{
    struct service service = service_of(3, "127.0.0.1:0", "127.0.0.1:0");
    ck_assert_msg(service_open(&service, NULL, problem, sizeof(problem)) == 0, "%s", problem);
    for (uint32_t address = 0; address < 2; address++) {
        in_port_t port = port_of(listener_of(&service, 0, address));
        const struct sockaddr_in *in =
            (const struct sockaddr_in *)(const void *)&service.address[address].address;
        ck_assert_uint_gt(port, 0);
        ck_assert_uint_eq(ntohs(in->sin_port), port); /* the port was written back */
        for (uint32_t worker = 1; worker < 3; worker++) {
            int fd = listener_of(&service, worker, address);
            ck_assert_int_ne(fd, listener_of(&service, worker - 1, address));
            ck_assert_uint_eq(port_of(fd), port);
        }
        ck_assert_int_eq(connect_to(&service, address), 0);
    }
    finish(&service);
}
END_TEST

/* A worker accepts from its own listeners, and from those of a worker that it stands in for. */
START_TEST(who_accepts)
{
    struct service service = service_of(3, "127.0.0.1:0", "127.0.0.1:0");
    ck_assert_int_eq(service_open(&service, NULL, problem, sizeof(problem)), 0);
    ck_assert_uint_eq(service.listeners, 6);
    for (uint32_t number = 0; number < 6; number++)
        for (uint32_t worker = 0; worker < 3; worker++)
            ck_assert(service_accepts(&service, worker, number) == (worker == number % 3));
    service.roster[1].stand_in = 2;
    for (uint32_t number = 0; number < 6; number++) {
        ck_assert(service_accepts(&service, 0, number) == (number % 3 == 0));
        ck_assert(service_accepts(&service, 1, number) == (number % 3 == 1));
        ck_assert(service_accepts(&service, 2, number) == (number % 3 >= 1));
    }
    finish(&service);
}
END_TEST

static void path_make(char *directory, char *text, size_t size)
{
    strcpy(directory, "/tmp/zcserve-core-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(text, size, "unix:%s/socket", directory);
}

START_TEST(unix_socket_is_shared)
{
    char directory[64], text[96];
    struct stat status;
    path_make(directory, text, sizeof(text));
    struct service service = service_of(3, text, "127.0.0.1:0");
    ck_assert_msg(service_open(&service, NULL, problem, sizeof(problem)) == 0, "%s", problem);
    int shared = listener_of(&service, 0, 0);
    ck_assert_uint_eq(service.listeners, 4);
    ck_assert_int_eq(connect_to(&service, 0), 0);
    for (uint32_t worker = 0; worker < 3; worker++)
        for (uint32_t number = 0; number < 4; number++)
            ck_assert(service_accepts(&service, worker, number) ==
                      (number == 0 || number - 1 == worker));
    int own = listener_of(&service, 1, 1);
    service_listeners_leave(&service);
    ck_assert(!is_open(shared) && !is_open(own));
    ck_assert_int_eq(stat(text + strlen("unix:"), &status), 0);
    service_close(&service, NULL);
    ck_assert_int_eq(stat(text + strlen("unix:"), &status), -1);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(all_is_left)
{
    char directory[64], text[96];
    path_make(directory, text, sizeof(text));
    struct service service = service_of(2, text, "127.0.0.1:0");
    ck_assert_int_eq(service_open(&service, NULL, problem, sizeof(problem)), 0);
    int fds[] = {listener_of(&service, 0, 0), listener_of(&service, 0, 1),
                 listener_of(&service, 1, 1)};
    finish(&service);
    for (int i = 0; i < 3; i++)
        ck_assert(!is_open(fds[i]));
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

/* ---- the service after a reload ---------------------------------------------------------------- */

static bool is_awaited(const struct service *service, uint32_t address)
{
    for (uint32_t n = 0; listener_of(service, n, address) >= 0; n++)
        if (listener_is_awaited(listener_of(service, n, address))) return true;
    return false;
}

/* A connection that waits in the queue of a listener waits there for the next generation. */
START_TEST(listeners_are_taken_over)
{
    static const uint32_t workers[] = {1, 2, 3, 8};
    uint32_t before = workers[_i / 4], after = workers[_i % 4];
    struct service first = service_of(before, "127.0.0.1:0", NULL);
    struct service second = service_of(after, "127.0.0.1:0", NULL);
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    ck_assert_int_eq(connect_to(&first, 0), 0);
    ck_assert_int_eq(service_open(&second, &first, problem, sizeof(problem)), 0);
    ck_assert(is_awaited(&second, 0));
    in_port_t port = port_of(listener_of(&first, 0, 0));
    finish(&first);
    ck_assert_uint_eq(second.listeners, before > after ? before : after);
    for (uint32_t number = 0; number < second.listeners; number++) {
        uint32_t accept = 0;
        ck_assert_uint_eq(port_of(second.listener[number].fd), port);
        for (uint32_t worker = 0; worker < after; worker++)
            accept += service_accepts(&second, worker, number);
        ck_assert_uint_eq(accept, 1);
    }
    ck_assert(is_awaited(&second, 0));
    finish(&second);
}
END_TEST

/* Another model: all workers accept from every listener that was there. */
START_TEST(listeners_become_shared)
{
    struct service first = service_of(3, "127.0.0.1:0", NULL);
    struct service second = service_of(2, "127.0.0.1:0", NULL);
    struct service third = service_of(4, "127.0.0.1:0", NULL);
    second.listeners_shared = true;
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    ck_assert_int_eq(service_open(&second, &first, problem, sizeof(problem)), 0);
    finish(&first);
    ck_assert_uint_eq(second.listeners, 3);
    for (uint32_t i = 0; i < 6; i++)
        ck_assert(service_accepts(&second, i % 2, i / 2));
    ck_assert_int_eq(service_open(&third, &second, problem, sizeof(problem)), 0);
    finish(&second);
    ck_assert_uint_eq(third.listeners, 4);
    finish(&third);
}
END_TEST

/* One that had no others beside it can get them, because it was opened as one of several. */
START_TEST(shared_listener_is_divided)
{
    struct service first = service_of(4, "127.0.0.1:0", NULL);
    struct service second = service_of(3, "127.0.0.1:0", NULL);
    first.listeners_shared = true;
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    ck_assert_uint_eq(first.listeners, 1);
    ck_assert_msg(service_open(&second, &first, problem, sizeof(problem)) == 0, "%s", problem);
    finish(&first);
    ck_assert_uint_eq(second.listeners, 3);
    ck_assert_int_eq(connect_to(&second, 0), 0);
    finish(&second);
}
END_TEST

START_TEST(addresses_come_and_go)
{
    char directory[64], text[96], port[32];
    struct stat status;
    path_make(directory, text, sizeof(text));
    struct service first = service_of(2, text, "127.0.0.1:0");
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    snprintf(port, sizeof(port), "127.0.0.1:%u", port_of(listener_of(&first, 0, 1)));
    struct service second = service_of(2, port, "127.0.0.1:0"); /* the port by its number, too */
    ck_assert_msg(service_open(&second, &first, problem, sizeof(problem)) == 0, "%s", problem);
    ck_assert_uint_eq(port_of(listener_of(&second, 0, 0)), port_of(listener_of(&first, 0, 1)));
    ck_assert_uint_ne(port_of(listener_of(&second, 0, 1)), port_of(listener_of(&first, 0, 1)));
    service_close(&first, &second);
    ck_assert_int_eq(stat(text + strlen("unix:"), &status),
                     -1); /* it is not listened on any more */
    struct service third = service_of(1, text, port);
    ck_assert_msg(service_open(&third, &second, problem, sizeof(problem)) == 0, "%s", problem);
    finish(&second);
    struct service fourth = service_of(3, text, NULL);
    ck_assert_msg(service_open(&fourth, &third, problem, sizeof(problem)) == 0, "%s", problem);
    service_close(&third, &fourth);
    ck_assert_int_eq(stat(text + strlen("unix:"), &status), 0); /* it still is */
    ck_assert_int_eq(connect_to(&fourth, 0), 0);
    finish(&fourth);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

/* What could not be opened leaves the generation before as it was. */
START_TEST(busy_port_of_the_next_one)
{
    char text[32];
    struct service other = service_of(1, "127.0.0.1:0", NULL);
    ck_assert_int_eq(service_open(&other, NULL, problem, sizeof(problem)), 0);
    snprintf(text, sizeof(text), "127.0.0.1:%u", port_of(listener_of(&other, 0, 0)));
    struct service first = service_of(2, "127.0.0.1:0", NULL);
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    struct service second = service_of(4, "127.0.0.1:0", text);
    ck_assert_int_eq(service_open(&second, &first, problem, sizeof(problem)), -1);
    ck_assert_ptr_nonnull(strstr(problem, text));
    service_close(&second, &first);
    ck_assert_int_eq(connect_to(&first, 0), 0);
    ck_assert(is_open(listener_of(&first, 0, 0)) && is_open(listener_of(&first, 1, 0)));
    finish(&first);
    finish(&other);
}
END_TEST

START_TEST(busy_port_is_told)
{
    char text[32], port[16];
    struct service first = service_of(2, "127.0.0.1:0", NULL);
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    snprintf(port, sizeof(port), ":%u", port_of(listener_of(&first, 0, 0)));
    snprintf(text, sizeof(text), "127.0.0.1%s", port);
    struct service second = service_of(1, text, NULL);
    ck_assert_int_eq(service_open(&second, NULL, problem, sizeof(problem)), -1);
    ck_assert_ptr_nonnull(strstr(problem, text));
    ck_assert_ptr_nonnull(strstr(problem, "Address already in use"));
    ck_assert_ptr_nonnull(strstr(problem, "choose another port with -p"));
    ck_assert_ptr_null(strchr(problem, '\n'));
    finish(&second);
    finish(&first);
}
END_TEST

START_TEST(busy_unix_socket_is_told_and_left_alone)
{
    char directory[64], text[96];
    struct stat status;
    path_make(directory, text, sizeof(text));
    struct service first = service_of(1, text, NULL);
    ck_assert_int_eq(service_open(&first, NULL, problem, sizeof(problem)), 0);
    struct service second = service_of(2, text, NULL);
    ck_assert_int_eq(service_open(&second, NULL, problem, sizeof(problem)), -1);
    ck_assert_ptr_nonnull(strstr(problem, text));
    finish(&second);
    ck_assert_int_eq(stat(text + strlen("unix:"), &status), 0);
    ck_assert_int_eq(connect_to(&first, 0), 0);
    finish(&first);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(address_of_somebody_else_is_told)
{
    struct service service = service_of(1, "192.0.2.1:8080", NULL);
    ck_assert_int_eq(service_open(&service, NULL, problem, sizeof(problem)), -1);
    ck_assert_ptr_nonnull(strstr(problem, "192.0.2.1:8080"));
    finish(&service);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service");
    TCase *tcase = tcase_create("service");
    tcase_add_test(tcase, workers_have_the_same_port);
    tcase_add_test(tcase, who_accepts);
    tcase_add_test(tcase, unix_socket_is_shared);
    tcase_add_test(tcase, all_is_left);
    tcase_add_loop_test(tcase, listeners_are_taken_over, 0, 16);
    tcase_add_test(tcase, listeners_become_shared);
    tcase_add_test(tcase, shared_listener_is_divided);
    tcase_add_test(tcase, addresses_come_and_go);
    tcase_add_test(tcase, busy_port_of_the_next_one);
    tcase_add_test(tcase, busy_port_is_told);
    tcase_add_test(tcase, busy_unix_socket_is_told_and_left_alone);
    tcase_add_test(tcase, address_of_somebody_else_is_told);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* no test leaves anything behind */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
