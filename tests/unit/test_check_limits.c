/* Tests of src/doctor/check_limits.c: limits of made-up machines, and the text of each finding. */
#include "examined.h"

#include "model/ring.h"

#define TWO_WORKERS "workers = 2\nconnections = 1000\ncache { descriptors = 100 }\n"

START_TEST(descriptors_suffice)
{
    examined_begin(TWO_WORKERS);
    facts.subject.files = (struct subject_limit){1024, 4096}; /* the server raises the soft limit */
    made_up_file("/proc/sys/fs/file-max", "9223372036854775807\n");
    examined_is(check_descriptors, "");
    examined_end();
}
END_TEST

/* 4 at first, 10 of the process, 2 listeners, 5 of the store, 1000 connections and as many files, 100 kept, 268. */
START_TEST(descriptors_of_a_process)
{
    examined_begin(TWO_WORKERS);
    facts.subject.files = (struct subject_limit){256, 256};
    examined_is(
        check_descriptors,
        "harm: a process may open 256 files (RLIMIT_NOFILE), and up to 2,389 are needed: the "
        "server takes 278 connections instead of 2,000. Remedy: LimitNOFILE=2389 in the unit of "
        "systemd, or ulimit -n 2389 before the start; or lower connections\n");
    made_up_file("/proc/sys/fs/nr_open", "1024\n");
    ck_assert_ptr_nonnull(
        strstr(examined(check_descriptors),
               "Remedy: sysctl fs.nr_open=2389, then LimitNOFILE=2389 in the unit "
               "of systemd\n"));
    examined_end();
}
END_TEST

/* All connections are taken; files are opened more often. 333 besides those that are kept. */
START_TEST(descriptors_of_files)
{
    examined_begin("workers = 2\nconnections = 100\ncache { descriptors = 4000 }\n");
    facts.subject.files = (struct subject_limit){2000, 2000};
    examined_is(
        check_descriptors,
        "warn: a process may open 2,000 files (RLIMIT_NOFILE), and up to 4,333 are needed: a "
        "worker keeps 1,667 files open instead of 4,000. Remedy: LimitNOFILE=4333 in the unit of "
        "systemd, or ulimit -n 4333 before the start; or lower cache.descriptors\n");
    examined_end();
}
END_TEST

START_TEST(descriptors_of_responses)
{
    examined_begin(TWO_WORKERS);
    facts.subject.files = (struct subject_limit){2000, 2000};
    examined_is(
        check_descriptors,
        "note: a process may open 2,000 files (RLIMIT_NOFILE), so that a worker may have 611 "
        "files open for responses at a time; a request for one more waits. Remedy: "
        "LimitNOFILE=2389 in the unit of systemd is always enough\n");
    examined_end();
}
END_TEST

START_TEST(descriptors_of_the_system)
{
    examined_begin(TWO_WORKERS);
    made_up_file("/proc/sys/fs/file-max", "3000\n");
    examined_is(check_descriptors,
                "warn: all workers together may need 4,778 open files, and the system allows 3,000 "
                "(fs.file-max): then it opens none for anyone, and connections and requests fail. "
                "Remedy: sysctl fs.file-max=4778, or lower connections\n");
    facts.subject.files = (struct subject_limit){1400, 1400}; /* no process has more of them */
    ck_assert_ptr_null(strstr(examined(check_descriptors), "file-max"));
    made_up_file("/proc/sys/fs/file-max", "2700\n");
    ck_assert_ptr_nonnull(strstr(examined(check_descriptors), "may need 2,800 open files"));
    examined_end();
}
END_TEST

/* One process for each connection, one that all share: by the same function as the server's. */
START_TEST(descriptors_of_models)
{
    examined_begin("model = prefork\n");
    facts.subject.files = (struct subject_limit){64, 64};
    ck_assert_ptr_nonnull(strstr(examined(check_descriptors), "or lower cache.descriptors\n"));
    examined_end();
    examined_begin("model = threadpool\nthreadpool { threads = 8\n queue = 16 }\n");
    facts.subject.files = (struct subject_limit){256, 256};
    ck_assert_ptr_nonnull(strstr(examined(check_descriptors), "warn: a process may open 256"));
    facts.subject.files = (struct subject_limit){64, 64};
    ck_assert_ptr_nonnull(strstr(examined(check_descriptors), "; or lower threadpool.threads"));
    examined_end();
}
END_TEST

START_TEST(rings_work)
{
    examined_begin("workers = 2\n");
    examined_is(check_io_uring, "");
    examined_is(check_memlock, "");
    facts.subject.locked = (struct subject_limit){8 << 20, 8 << 20};
    facts.ring.memory_counts = true;
    examined_is(check_memlock, "");
    examined_end();
}
END_TEST

START_TEST(rings_are_forbidden)
{
    examined_begin("workers = 2\n");
    facts.ring.problem =
        "io_uring: io_uring_setup is forbidden by sysctl kernel.io_uring_disabled; "
        "set it to 0";
    examined_is(
        check_io_uring,
        "warn: model = auto takes epoll, because io_uring does not work here: io_uring_setup "
        "is forbidden by sysctl kernel.io_uring_disabled. Remedy: set it to 0, or model = "
        "epoll\n");
    examined_is(check_memlock, "(no ring works here)");
    facts.ring.problem =
        "io_uring: this kernel's io_uring is too old (Linux 6.0 or later is needed)";
    examined_is(
        check_io_uring,
        "warn: model = auto takes epoll, because io_uring does not work here: this kernel's "
        "io_uring is too old (Linux 6.0 or later is needed). Remedy: a newer kernel, or "
        "another sandbox, or model = epoll\n");
    examined_end();
    examined_begin("workers = 2\nmodel = io_uring\n");
    facts.ring.problem = "io_uring: io_uring_enter is forbidden (Operation not permitted) by a "
                         "seccomp filter, as container engines set one; allow io_uring_setup";
    examined_is(check_io_uring,
                "harm: model = io_uring does not work here: io_uring_enter is forbidden (Operation "
                "not permitted) by a seccomp filter, as container engines set one. Remedy: allow "
                "io_uring_setup, or model = epoll\n");
    examined_end();
}
END_TEST

START_TEST(rings_lack_memory)
{
    char expected[512];
    uint64_t bytes = rings_bytes(32);
    examined_begin("workers = 32\n");
    facts.subject.locked = (struct subject_limit){8 << 20, 8 << 20};
    examined_is(check_memlock, ""); /* the kernel does not count it */
    facts.ring.memory_counts = true;
    snprintf(expected, sizeof(expected),
             "warn: the rings of 32 workers need up to %.1f MiB of locked memory, and www-data may "
             "lock 8.00 MiB (RLIMIT_MEMLOCK): the server may take epoll instead. Remedy: "
             "LimitMEMLOCK=%llu in the unit of systemd, or ulimit -l %llu before the start\n",
             (double)bytes / (1 << 20), (unsigned long long)bytes,
             (unsigned long long)bytes / 1024);
    examined_is(check_memlock, expected);
    examined_end();
    examined_begin("workers = 32\nmodel = io_uring\n");
    facts.subject.locked = (struct subject_limit){65536, 65536};
    facts.ring.memory_counts = true;
    ck_assert_ptr_nonnull(strstr(examined(check_memlock), "harm: the rings of 32 workers"));
    ck_assert_ptr_nonnull(strstr(examined(check_memlock), ": the server may not start. Remedy"));
    examined_end();
}
END_TEST

START_TEST(backlog)
{
    examined_begin("workers = 2\n");
    examined_is(check_backlog, "(/proc/sys/net/core/somaxconn)");
    made_up_file("/proc/sys/net/core/somaxconn", "4096\n");
    examined_is(check_backlog, "");
    made_up_file("/proc/sys/net/core/somaxconn", "128\n");
    examined_is(check_backlog,
                "warn: the kernel queues 128 connections for a listener (net.core.somaxconn), not "
                "the 4,096 of backlog: when more come at once, clients try again after a second. "
                "Remedy: sysctl net.core.somaxconn=4096\n");
    examined_end();
}
END_TEST

START_TEST(ports)
{
    examined_begin("workers = 2\nlisten = {\"0.0.0.0:40000\", \"8080\", \"unix:/run/a\"}\n");
    examined_is(check_ports, "(/proc/sys/net/ipv4/ip_local_port_range)");
    made_up_file("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    made_up_file("/proc/sys/net/ipv4/ip_local_reserved_ports", "50000-50010\n");
    examined_is(check_ports,
                "warn: the kernel may give the port 40000 to connections that programs of this "
                "machine open (net.ipv4.ip_local_port_range), and the server then cannot start. "
                "Remedy: sysctl net.ipv4.ip_local_reserved_ports=50000-50010,40000, or ports below "
                "32768\n");
    made_up_file("/proc/sys/net/ipv4/ip_local_reserved_ports", "80,39000-40000\n");
    examined_is(check_ports, "");
    made_up_file("/proc/sys/net/ipv4/ip_local_port_range", "1024\t2000\n");
    examined_is(check_ports, ""); /* clients are elsewhere */
    examined_end();
    examined_begin("workers = 2\nlisten = \"[::1]:80\"\n");
    made_up_file("/proc/sys/net/ipv4/ip_local_port_range", "1024\t2023\n");
    examined_is(check_ports,
                "warn: a client of this machine has 1,000 ports for connections to one address "
                "(net.ipv4.ip_local_port_range), and a worker may have 16,384 connections. Remedy: "
                "sysctl net.ipv4.ip_local_port_range=\"1024 65535\", or connect through a Unix "
                "socket\n");
    examined_end();
}
END_TEST

/* One setting has them all: whoever sets it for one address after the other keeps only the last. */
START_TEST(ports_of_several_addresses)
{
    examined_begin("listen = {\"0.0.0.0:40000\", \"[::]:40000\", \"192.0.2.1:40001\"}\n");
    made_up_file("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    examined_is(check_ports,
                "warn: the kernel may give the ports 40000,40001 to connections that programs of "
                "this machine open (net.ipv4.ip_local_port_range), and the server then cannot "
                "start. Remedy: sysctl net.ipv4.ip_local_reserved_ports=40000,40001, or ports "
                "below 32768\n");
    examined_end();
}
END_TEST

START_TEST(conntrack)
{
    examined_begin(TWO_WORKERS);
    examined_is(check_conntrack, "(nf_conntrack is not loaded)");
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_max", "1000\n");
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_count", "0\n");
    examined_is(check_conntrack, ""); /* loaded, but no rule tracks */
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_count", "12\n");
    examined_is(check_conntrack,
                "warn: 1,000 connections can be tracked (net.netfilter.nf_conntrack_max), and the "
                "server may have 2,000: when the table is full, the kernel drops new ones. Remedy: "
                "sysctl net.netfilter.nf_conntrack_max=4000, or a rule 'notrack' for the server's "
                "ports\n");
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_max", "262144\n");
    examined_is(check_conntrack, "");
    made_up_file("/proc/sys/net/netfilter/nf_conntrack_count", "250000\n");
    examined_is(
        check_conntrack,
        "harm: 250,000 of 262,144 connections are tracked (net.netfilter.nf_conntrack_max): "
        "when the table is full, the kernel drops new ones. Remedy: sysctl "
        "net.netfilter.nf_conntrack_max=524288, or a rule 'notrack' for the server's "
        "ports\n");
    examined_end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("limits");
    tcase_add_test(tcase, descriptors_suffice);
    tcase_add_test(tcase, descriptors_of_a_process);
    tcase_add_test(tcase, descriptors_of_files);
    tcase_add_test(tcase, descriptors_of_responses);
    tcase_add_test(tcase, descriptors_of_the_system);
    tcase_add_test(tcase, descriptors_of_models);
    tcase_add_test(tcase, rings_work);
    tcase_add_test(tcase, rings_are_forbidden);
    tcase_add_test(tcase, rings_lack_memory);
    tcase_add_test(tcase, backlog);
    tcase_add_test(tcase, ports);
    tcase_add_test(tcase, ports_of_several_addresses);
    tcase_add_test(tcase, conntrack);
    return examined_run(tcase);
}
