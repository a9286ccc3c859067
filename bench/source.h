/*
 * Source addresses for many connections to one port of this machine. One address has about 28,000 ports, so
 * the connections are spread over 127.0.0.2, 127.0.0.3, …
 */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SOURCE_ADDRESSES_MAX 250

static uint32_t source_ports; /* ports used of each address */

/* Must be called first. Half of the ports of an address are used, because the last free ones are slow to find. */
static inline void source_plan(uint32_t connections)
{
    unsigned low = 32768, high = 60999;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file && fscanf(file, "%u %u", &low, &high) != 2) warnx("ip_local_port_range: unreadable");
    if (file) fclose(file);
    source_ports = (high - low + 1) / 2;
    if (connections > (uint64_t)source_ports * SOURCE_ADDRESSES_MAX)
        errx(1,
             "%u connections need more than %d source addresses of %u ports each; widen sysctl "
             "net.ipv4.ip_local_port_range",
             connections, SOURCE_ADDRESSES_MAX, source_ports);
}

/* Connects socket number `number`. Returns it, or -1 with errno set. */
static inline int source_connect(uint32_t number, uint16_t port, uint32_t wait_seconds)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct timeval wait = {.tv_sec = (time_t)wait_seconds};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number / source_ports);
    if (fd < 0) return -1;
    /* With this, connect() chooses the port, and may give the same one to sockets with other peers. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

#endif
