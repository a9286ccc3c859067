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
    service_close(service);
}

START_TEST(workers_have_the_same_port)
{
    struct service service = service_of(3, "127.0.0.1:0", "127.0.0.1:0");
    ck_assert_msg(service_open(&service, problem, sizeof(problem)) == 0, "%s", problem);
    ck_assert_ptr_nonnull(service.board);
    for (uint32_t address = 0; address < 2; address++) {
        in_port_t port = port_of(service_listener(&service, 0, address));
        const struct sockaddr_in *in =
            (const struct sockaddr_in *)(const void *)&service.address[address].address;
        ck_assert_uint_gt(port, 0);
        ck_assert_uint_eq(ntohs(in->sin_port), port); /* the port was written back */
        for (uint32_t worker = 1; worker < 3; worker++) {
            int fd = service_listener(&service, worker, address);
            ck_assert_int_ne(fd, service_listener(&service, worker - 1, address));
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
    ck_assert_int_eq(service_open(&service, problem, sizeof(problem)), 0);
    ck_assert_uint_eq(service_listeners_count(&service), 6);
    for (uint32_t number = 0; number < 6; number++) {
        uint32_t owner = number / 2, address = number % 2;
        ck_assert_int_eq(service_listener_at(&service, number),
                         service_listener(&service, owner, address));
        ck_assert_ptr_eq(service_listener_address(&service, number), &service.address[address]);
        for (uint32_t worker = 0; worker < 3; worker++)
            ck_assert(service_accepts(&service, worker, number) == (worker == owner));
    }
    service.roster[1].stand_in = 2;
    for (uint32_t number = 0; number < 6; number++) {
        ck_assert(service_accepts(&service, 0, number) == (number < 2));
        ck_assert(service_accepts(&service, 1, number) == (number == 2 || number == 3));
        ck_assert(service_accepts(&service, 2, number) == (number >= 2));
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
    ck_assert_msg(service_open(&service, problem, sizeof(problem)) == 0, "%s", problem);
    int shared = service_listener(&service, 0, 0);
    ck_assert_int_eq(service_listener(&service, 1, 0), shared);
    ck_assert_int_eq(service_listener(&service, 2, 0), shared);
    ck_assert_int_eq(connect_to(&service, 0), 0);
    /* A shared listener has one number for all workers. */
    for (uint32_t number = 0; number < 6; number++) {
        bool again = number == 2 || number == 4;
        ck_assert_int_eq(service_listener_at(&service, number) < 0, again);
        for (uint32_t worker = 0; worker < 3; worker++)
            ck_assert(service_accepts(&service, worker, number) ==
                      (number == 0 || (!again && number / 2 == worker)));
    }
    service_listeners_leave(&service);
    ck_assert(!is_open(shared) && !is_open(service_listener(&service, 1, 1)));
    ck_assert_int_eq(stat(text + strlen("unix:"), &status), 0);
    service_close(&service);
    ck_assert_int_eq(stat(text + strlen("unix:"), &status), -1);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(all_is_left)
{
    char directory[64], text[96];
    path_make(directory, text, sizeof(text));
    struct service service = service_of(2, text, "127.0.0.1:0");
    ck_assert_int_eq(service_open(&service, problem, sizeof(problem)), 0);
    int fds[] = {service_listener(&service, 0, 0), service_listener(&service, 0, 1),
                 service_listener(&service, 1, 1)};
    finish(&service);
    for (int i = 0; i < 3; i++)
        ck_assert(!is_open(fds[i]));
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

START_TEST(busy_port_is_told)
{
    char text[32], port[16];
    struct service first = service_of(2, "127.0.0.1:0", NULL);
    ck_assert_int_eq(service_open(&first, problem, sizeof(problem)), 0);
    snprintf(port, sizeof(port), ":%u", port_of(service_listener(&first, 0, 0)));
    snprintf(text, sizeof(text), "127.0.0.1%s", port);
    struct service second = service_of(1, text, NULL);
    ck_assert_int_eq(service_open(&second, problem, sizeof(problem)), -1);
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
    ck_assert_int_eq(service_open(&first, problem, sizeof(problem)), 0);
    struct service second = service_of(2, text, NULL);
    ck_assert_int_eq(service_open(&second, problem, sizeof(problem)), -1);
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
    ck_assert_int_eq(service_open(&service, problem, sizeof(problem)), -1);
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
    tcase_add_test(tcase, busy_port_is_told);
    tcase_add_test(tcase, busy_unix_socket_is_told_and_left_alone);
    tcase_add_test(tcase, address_of_somebody_else_is_told);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
