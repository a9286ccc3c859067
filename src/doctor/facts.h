/*
 * What is known before checks begin: the configuration, what the server would need for it, who
 * serves, and what was found out by trying. Checks look at nothing else but files of /proc and /sys
 * below `tree`, so that tests can make up all of it.
 */
#ifndef ZCSERVE_DOCTOR_FACTS_H
#define ZCSERVE_DOCTOR_FACTS_H

#include "doctor/device.h"
#include "doctor/kernel_file.h"
#include "doctor/sockets.h"
#include "doctor/subject.h"
#include "doctor/survey.h"
#include "zcserve/config.h"
#include "zcserve/service.h"

#define FACTS_ROOTS_MAX 64
#define FACTS_ADDRESSES_MAX (SERVICE_ADDRESSES_MAX + 1) /* and that of the status */
#define FACTS_LOGS_MAX 2
#define FACTS_USERS_MAX 64

struct facts_address {
    const char *option; /* "listen", "status" */
    char text[LISTEN_ADDRESS_TEXT_MAX];
    struct listen_address address;
    struct holder holder;
    int error; /* errno of binding a socket there to any port, or of making its file; 0: none */
};

struct facts_root {
    const char *path;
    int error;     /* errno of entering it; 0: none      */
    bool unlisted; /* it may be entered, but not listed  */
};

struct facts_log {
    const char *option, *path; /* "access_log" */
    int error;                 /* errno of opening it for writing; 0: none */
    bool below_root;           /* everyone may fetch it */
};

/* A file of users. */
struct facts_users {
    const char *path;
    bool open;       /* every user of this machine may read it */
    bool below_root; /* so that clients may fetch it           */
};

struct facts_ring {
    const char *problem; /* why no ring can be used here, and the remedy; NULL: it works */
    bool memory_counts;  /* the memory of rings counts as locked memory of this user */
};

struct facts {
    const char *tree; /* as in kernel_file.h */
    const struct config *config;
    struct service service; /* what the models shape, and the descriptors that stores keep open */
    struct subject subject;
    bool file_capability; /* the server's file lets it bind privileged ports        */
    struct facts_address address[FACTS_ADDRESSES_MAX];
    unsigned addresses;
    struct facts_root root[FACTS_ROOTS_MAX];
    unsigned roots;
    struct facts_log log[FACTS_LOGS_MAX];
    unsigned logs;
    struct facts_users users[FACTS_USERS_MAX];
    unsigned users_files;
    struct facts_ring ring;
    struct survey survey;
    struct device device[SURVEY_SYSTEMS_MAX]; /* below each file system of the survey */
};

/* What to look at. */
struct facts_wanted {
    const char *user; /* look as this user; NULL: as the one who looks */
    long pid;         /* with the limits and the user of this process; 0: with our own */
    const char *file; /* configuration; NULL: none */
    const char *root; /* served instead of its root; NULL: as configured */
    uint64_t entries_max;
    double seconds_max;
    void (*progress)(const struct survey *survey); /* as in survey.h */
};

/*
 * Loads the configuration and finds out everything, of this machine. Becomes the user that is
 * wanted, for good. Returns 0; or -1 after it printed what is wrong with the configuration or with
 * what is wanted. Then, too, facts_free() frees it.
 */
int facts_gather(struct facts *facts, const struct facts_wanted *wanted);
void facts_free(struct facts *facts);

/*
 * The parts of it that depend on the configuration alone. Returns 0, or -1 after it printed a wrong
 * address.
 */
int facts_of_config(struct facts *facts, const struct config *config);

/*
 * Returns whether the configured model has event loops, whether it may use rings, and whether it
 * listens on TCP.
 */
bool facts_has_loops(const struct facts *facts);
bool facts_may_have_rings(const struct facts *facts);
bool facts_has_tcp(const struct facts *facts);

/* Returns the TCP port of an address; 0 for a Unix socket, and when the kernel is to choose. */
unsigned facts_port(const struct facts_address *address);

#endif
