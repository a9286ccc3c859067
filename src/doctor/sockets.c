/* Reads /proc/net/tcp and tcp6, and looks for a process that has the socket open. */
#include "doctor/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/kernel_file.h"

#define STATE_LISTEN 0x0A
#define WORDS_MAX 4 /* of 32 bits, in an address */

/* An address as the kernel prints it: words in the machine's order. IPv4 has one, IPv6 four. */
struct place {
    uint32_t word[WORDS_MAX];
    unsigned words, port;
};

static bool place_of(struct place *place, const struct listen_address *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->address;
    *place = (struct place){0};
    if (address->address.ss_family == AF_INET) {
        place->words = 1;
        place->port = ntohs(in->sin_port);
        memcpy(place->word, &in->sin_addr, sizeof(in->sin_addr));
    } else if (address->address.ss_family == AF_INET6) {
        place->words = WORDS_MAX;
        place->port = ntohs(in6->sin6_port);
        memcpy(place->word, &in6->sin6_addr, sizeof(in6->sin6_addr));
    }
    return place->port != 0;
}

static bool is_every(const struct place *place)
{
    for (unsigned i = 0; i < place->words; i++)
        if (place->word[i] != 0) return false;
    return true;
}

/* Returns whether two sockets of one family cannot listen on these places at the same time. */
static bool exclude(const struct place *a, const struct place *b)
{
    if (a->port != b->port) return false;
    return is_every(a) || is_every(b) || memcmp(a->word, b->word, sizeof(a->word)) == 0;
}

/*
 * Reads the line of a socket that listens: its number, address, peer, state, queues, timer,
 * retransmits, user, timeout, inode.
 */
static bool line_read(const char *line, unsigned words, struct place *place, struct holder *holder)
{
    char text[8 * WORDS_MAX + 1], word[9] = "";
    unsigned state, user;
    unsigned long long inode;
    *place = (struct place){.words = words};
    if (sscanf(line, " %*d: %32[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %u %*d %llu", text, &place->port,
               &state, &user, &inode) != 5)
        return false;
    if (state != STATE_LISTEN || strlen(text) != 8 * words) return false;
    for (unsigned i = 0; i < words; i++) {
        memcpy(word, text + 8 * (size_t)i, 8);
        place->word[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    *holder = (struct holder){.is_there = true, .user = user, .inode = inode};
    return true;
}

static void table_search(struct holder *holder, const char *tree, const char *path,
                         const struct place *wanted)
{
    char line[512];
    struct place place;
    struct holder found;
    FILE *file = kernel_open(tree, path);
    while (file && !holder->is_there && fgets(line, sizeof(line), file))
        if (line_read(line, wanted->words, &place, &found) && exclude(&place, wanted))
            *holder = found;
    if (file) fclose(file);
}

/* ---- the process ----------------------------------------------------------------------------- */

/* Returns whether a descriptor of this process is the socket. */
static bool has_open(const char *tree, const char *process, const char *socket)
{
    char path[KERNEL_PATH_MAX], target[64];
    bool found = false;
    snprintf(path, sizeof(path), "%s/proc/%s/fd", tree, process);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));) {
        snprintf(path, sizeof(path), "/proc/%s/fd/%.32s", process, entry->d_name);
        found = kernel_link(tree, path, target, sizeof(target)) && strcmp(target, socket) == 0;
    }
    if (directory) closedir(directory);
    return found;
}

static void process_search(struct holder *holder, const char *tree)
{
    char path[KERNEL_PATH_MAX], socket[64];
    snprintf(socket, sizeof(socket), "socket:[%llu]", (unsigned long long)holder->inode);
    snprintf(path, sizeof(path), "%s/proc", tree);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && holder->pid == 0 && (entry = readdir(directory));) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || !has_open(tree, entry->d_name, socket)) continue;
        holder->pid = pid;
        snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
        kernel_line(tree, path, holder->name, sizeof(holder->name));
    }
    if (directory) closedir(directory);
}

void holder_find(struct holder *holder, const char *tree, const char *directory,
                 const struct listen_address *address)
{
    char path[64];
    struct place wanted;
    *holder = (struct holder){0};
    if (!place_of(&wanted, address)) return;
    snprintf(path, sizeof(path), "%s/net/%s", directory, wanted.words == 1 ? "tcp" : "tcp6");
    table_search(holder, tree, path, &wanted);
    if (!holder->is_there && address->every) { /* one socket for both */
        struct place ipv4 = {.words = 1, .port = wanted.port};
        snprintf(path, sizeof(path), "%s/net/tcp", directory);
        table_search(holder, tree, path, &ipv4);
    }
    if (holder->is_there) process_search(holder, tree);
}
