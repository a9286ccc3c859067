/* Tests of src/doctor/check_start.c: what keeps a server from starting, on made-up machines. */
#include "examined.h"

#include <errno.h>

START_TEST(root_is_there_or_not)
{
    examined_begin("root = site\n");
    examined_is(check_root, "");
    facts.root[0].error = ENOENT;
    examined_is(check_root, "harm: root /etc/z/site: No such file or directory. Remedy: make the "
                            "directory, or correct root (/etc/z/serve.conf:1)\n");
    facts.root[0].error = 0;
    facts.root[0].unlisted = true;
    examined_is(check_root,
                "note: root /etc/z/site: www-data may enter it, but not list it: its files are "
                "served and compared on each request, and doctor does not see them. Remedy: let "
                "www-data list it (chmod o+r)\n");
    facts.root[0].error = ENOTDIR;
    examined_is(check_root, "harm: root /etc/z/site: Not a directory. Remedy: correct root "
                            "(/etc/z/serve.conf:1)\n");
    facts.root[0].error = EACCES;
    examined_is(check_root, "harm: root /etc/z/site: Permission denied. Remedy: let www-data enter "
                            "each directory of its path (chmod o+x), or correct root "
                            "(/etc/z/serve.conf:1)\n");
    examined_end();
}
END_TEST

/* Each root counts once. That outside of sites counts when it is set. */
START_TEST(roots_of_sites)
{
    examined_begin("site a.example { root = here }\nsite b.example { root = there }\n"
                   "site c.example { root = here\n hidden = on }\n");
    ck_assert_uint_eq(facts.roots, 2);
    ck_assert_str_eq(facts.root[0].path, "/etc/z/here");
    ck_assert_str_eq(facts.root[1].path, "/etc/z/there");
    examined_end();
    examined_begin("root = other\nsite a.example { root = here }\n");
    ck_assert_uint_eq(facts.roots, 2);
    ck_assert_str_eq(facts.root[0].path, "/etc/z/other");
    examined_end();
}
END_TEST

START_TEST(who_looks)
{
    examined_begin("");
    examined_is(check_user, "");
    facts.subject.user = 0;
    examined_is(check_user, "note: doctor runs as root, which may read and change everything; the "
                            "server's user may not. "
                            "Remedy: name that user with -u, or the running server with --pid\n");
    facts.subject.is_server = true;
    examined_is(check_user, "warn: the server runs as root, so a fault in it could do anything. "
                            "Remedy: start it as another user (systemd: User=)\n");
    examined_end();
}
END_TEST

START_TEST(addresses)
{
    examined_begin(
        "listen = {\"192.0.2.1:80\", \"[2001:db8::1]:80\", \"unix:/run/zcserve/socket\"}\n"
        "status = \"127.0.0.1:8081\"\n");
    ck_assert_uint_eq(facts.addresses, 4);
    examined_is(check_listen, "");
    facts.address[0].error = EADDRNOTAVAIL;
    facts.address[1].error = EAFNOSUPPORT;
    facts.address[2].error = EACCES;
    facts.address[3].error = EPERM;
    examined_is(
        check_listen,
        "harm: listen 192.0.2.1:80: Cannot assign requested address. Remedy: take an "
        "address that 'ip address' shows, or *:80 for all of them\n"
        "harm: listen [2001:db8::1]:80: Address family not supported by protocol. Remedy: "
        "enable IPv6 (net.ipv6.conf.all.disable_ipv6, ipv6.disable of the kernel's command "
        "line), or take an IPv4 address\n"
        "harm: listen unix:/run/zcserve/socket: Permission denied. Remedy: make its "
        "directory, and let the server's user write to it\n"
        "harm: status 127.0.0.1:8081: Operation not permitted. Remedy: correct the address, "
        "or what forbids it\n");
    facts.address[0].error = facts.address[1].error = facts.address[3].error = 0;
    facts.address[2].error = EEXIST;
    examined_is(check_listen, "harm: listen unix:/run/zcserve/socket: File exists. Remedy: remove "
                              "that file, which is no socket, or choose another path\n");
    examined_end();
}
END_TEST

START_TEST(addresses_in_use)
{
    examined_begin("listen = \"127.0.0.1:8080\"\n");
    struct holder *holder = &facts.address[0].holder;
    *holder = (struct holder){.is_there = true, .user = 0, .inode = 7, .pid = 812, .name = "nginx"};
    examined_is(check_listen,
                "harm: listen 127.0.0.1:8080 is in use by nginx (process 812). Remedy: "
                "stop that program, or choose another port\n");
    strcpy(holder->name, "zcserve:w0");
    examined_is(check_listen, "");
    *holder = (struct holder){.is_there = true, .user = 1000, .inode = 7};
    examined_is(check_listen,
                "note: listen 127.0.0.1:8080 is in use by a process of user 1000 that doctor may "
                "not look at. Remedy: let root run doctor, which then tells whether it is this "
                "server\n");
    examined_end();
}
END_TEST

START_TEST(privileged_ports)
{
    static const char finding[] =
        "harm: listen 0.0.0.0:80: ports below 1024 need CAP_NET_BIND_SERVICE, which www-data has "
        "not. Remedy: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit of systemd, or sysctl "
        "net.ipv4.ip_unprivileged_port_start=80\n";
    examined_begin("listen = {\"0.0.0.0:80\", \"0.0.0.0:8080\", \"unix:/run/socket\", \"0\"}\n");
    examined_is(check_privileged, "(/proc/sys/net/ipv4/ip_unprivileged_port_start)");
    made_up_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
    examined_is(check_privileged, finding);
    facts.subject.capabilities = UINT64_C(1) << 10;
    examined_is(check_privileged, "");
    facts.subject.capabilities = ~(UINT64_C(1) << 10);
    examined_is(check_privileged, finding);
    facts.file_capability = true;
    examined_is(check_privileged, "");
    facts.file_capability = false;
    strcpy(facts.address[0].holder.name, "zcserve"); /* it could */
    examined_is(check_privileged, "");
    facts.address[0].holder = (struct holder){0};
    made_up_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "80\n");
    examined_is(check_privileged, "");
    examined_end();
}
END_TEST

/* One setting is for all ports: the lowest of them counts. */
START_TEST(privileged_ports_have_one_remedy)
{
    examined_begin("listen = {\"0.0.0.0:443\", \"0.0.0.0:80\", \"0.0.0.0:8080\"}\n");
    made_up_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024\n");
    const char *found = examined(check_privileged);
    ck_assert_ptr_null(strstr(found, "port_start=443"));
    const char *first = strstr(found, "port_start=80\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first + 1, "port_start=80\n"));
    examined_end();
}
END_TEST

START_TEST(logs)
{
    examined_begin("access_log = /var/log/a.log\nerror_log = stderr\n");
    ck_assert_uint_eq(facts.logs, 1);
    examined_is(check_logs, "");
    facts.log[0].error = EROFS;
    facts.log[0].below_root = true;
    examined_is(check_logs,
                "harm: access_log /var/log/a.log cannot be written by www-data: Read-only file "
                "system. Remedy: make its directory, and let www-data write to it\n"
                "harm: access_log /var/log/a.log is below a root: everyone may fetch it. Remedy: "
                "move it out of the root, such as to /var/log/zcserve\n");
    examined_end();
    examined_begin("access_log = -\nerror_log = /var/log/e.log\n");
    ck_assert_uint_eq(facts.logs, 1);
    ck_assert_str_eq(facts.log[0].option, "error_log");
    examined_end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("start");
    tcase_add_test(tcase, root_is_there_or_not);
    tcase_add_test(tcase, roots_of_sites);
    tcase_add_test(tcase, who_looks);
    tcase_add_test(tcase, addresses);
    tcase_add_test(tcase, addresses_in_use);
    tcase_add_test(tcase, privileged_ports);
    tcase_add_test(tcase, privileged_ports_have_one_remedy);
    tcase_add_test(tcase, logs);
    return examined_run(tcase);
}
