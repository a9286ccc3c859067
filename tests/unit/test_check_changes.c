/* Tests of src/doctor/check_changes.c: notification, watches and residency on made-up machines. */
#include "examined.h"

#include <errno.h>

/* A file system that the survey saw at `path`. */
static struct survey_system *system_add(const char *path)
{
    struct survey_system *system = &facts.survey.system[facts.survey.systems++];
    *system = (struct survey_system){.reports_changes = true, .path = (char *)(uintptr_t)path};
    return system;
}

START_TEST(notification)
{
    examined_begin("root = /srv/www\n");
    struct survey_system *system = system_add("/srv/www/pictures");
    strcpy(facts.device[0].file_system, "nfs4");
    examined_is(check_notification, "");
    system->reports_changes = false;
    system_add("/elsewhere")->reports_changes = false; /* of which nothing more is known */
    examined_is(check_notification,
                "warn: /srv/www/pictures: this file system (nfs4) does not report changes, so each "
                "hit costs the system calls that compare the file. Remedy: serve a copy on a local "
                "disk, if hits are to cost less\n"
                "warn: /elsewhere: this file system does not report changes, so each hit costs the "
                "system calls that compare the file. Remedy: serve a copy on a local disk, if hits "
                "are to cost less\n");
    examined_end();
}
END_TEST

/* 98 directories, and two for the path of the root: /srv and www in it. */
START_TEST(watches)
{
    examined_begin("root = /srv/www\nworkers = 4\ncache { watches = 1000 }\n");
    facts.survey.directories = 98;
    examined_is(check_watches, "(/proc/sys/fs/inotify/max_user_instances)");
    made_up_file("/proc/sys/fs/inotify/max_user_instances", "128\n");
    made_up_file("/proc/sys/fs/inotify/max_user_watches", "400\n");
    examined_is(check_watches, "");
    made_up_file("/proc/sys/fs/inotify/max_user_watches", "399\n");
    examined_is(check_watches,
                "warn: all workers together watch 400 directories, and a user may have 399 watches "
                "(fs.inotify.max_user_watches): files in the others are compared on each request. "
                "Remedy: sysctl fs.inotify.max_user_watches=800\n");
    facts.survey.directories = 4998;
    made_up_file("/proc/sys/fs/inotify/max_user_watches", "4000\n");
    examined_is(
        check_watches,
        "warn: 5,000 directories are to be watched, and a worker watches 1,000 "
        "(cache.watches): files in the others are compared on each request. Remedy: cache { "
        "watches = 5000 }\n");
    examined_end();
}
END_TEST

START_TEST(instances)
{
    examined_begin("root = /srv/www\nmodel = prefork\nprefork { processes = 200 }\n");
    made_up_file("/proc/sys/fs/inotify/max_user_watches", "100000\n");
    made_up_file("/proc/sys/fs/inotify/max_user_instances", "128\n");
    examined_is(
        check_watches,
        "warn: 200 workers need an inotify instance each, and a user may have 128 "
        "(fs.inotify.max_user_instances): the others compare files on each request. Remedy: "
        "sysctl fs.inotify.max_user_instances=400\n");
    examined_end();
}
END_TEST

START_TEST(residency)
{
    examined_begin("root = /srv/www\n");
    struct survey_system *system = system_add("/srv/www");
    system->means = RESIDENT_UNTOLD;
    examined_is(check_residency, ""); /* no file was opened there */
    system->probed = true;
    examined_is(check_residency,
                "warn: /srv/www: the kernel does not tell what of a file is in memory, so an event "
                "loop may wait for the disk. Remedy: serve a copy on a local disk, or model = "
                "threadpool\n");
    system->means = RESIDENT_WHOLE;
    examined_is(check_residency, "");
    system->means = RESIDENT_SAMPLES;
    examined_is(
        check_residency,
        "warn: /srv/www: on overlayfs the kernel tells of a few pages only whether they are "
        "in memory, so an event loop may wait for the disk. Remedy: keep the files on a "
        "volume, not in the image of a container\n");
    system->error = ENOSYS;
    examined_is(check_residency,
                "note: /srv/www: this kernel has no cachestat(2), so only one page of each 128 "
                "KiB is asked for. Remedy: Linux 6.5 or later, if large files often come "
                "from the disk\n");
    system->error = EPERM;
    examined_is(
        check_residency,
        "note: /srv/www: cachestat(2) fails (Operation not permitted), so only one page of each "
        "128 KiB is asked for. Remedy: none is needed while large files stay in "
        "memory; recent kernels answer only users who may write to the file, and a seccomp filter "
        "may have to allow cachestat\n");
    examined_end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("changes");
    tcase_add_test(tcase, notification);
    tcase_add_test(tcase, watches);
    tcase_add_test(tcase, instances);
    tcase_add_test(tcase, residency);
    return examined_run(tcase);
}
