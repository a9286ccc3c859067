/* Tests of src/doctor/device.c: the disk of a directory, as a made-up /sys and /proc tell. */
#include "doctor/device.h"

#include "made_up.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static char block[64]; /* "/sys/dev/block/8:1", of the disk that really holds the directory */

static void set_up(void)
{
    struct stat status;
    made_up_open();
    ck_assert_int_eq(stat(made_up_tree(), &status), 0);
    snprintf(block, sizeof(block), "/sys/dev/block/%u:%u", major(status.st_dev),
             minor(status.st_dev));
}

static const char *below(const char *path)
{
    static char whole[128];
    snprintf(whole, sizeof(whole), "%s%s", block, path);
    return whole;
}

static void mounts_are(const char *point, const char *type)
{
    char text[512];
    snprintf(text, sizeof(text),
             "22 27 0:21 / /proc rw - proc proc rw\n"
             "27 1 8:0 / / rw,relatime - ext4 /dev/root rw\n"
             "30 27 8:1 / %s rw,noatime - %s /dev/made-up rw,data=\"ordered\"\n",
             point, type);
    made_up_file("/proc/self/mountinfo", text);
}

START_TEST(a_partition)
{
    struct device device;
    char text[128];
    mounts_are("/tmp", "xfs");
    made_up_run("mkdir -p sys/devices/sda/sda1 sys/devices/sda/queue sys/dev/block;"
                "echo 1 >sys/devices/sda/sda1/partition; echo 1 >sys/devices/sda/sda1/stat;"
                "echo 128 >sys/devices/sda/queue/read_ahead_kb; echo 8:0 >sys/devices/sda/dev");
    made_up_link(block, "../../devices/sda/sda1");
    ck_assert_int_eq(device_of(&device, made_up_tree(), made_up_tree()), 0);
    ck_assert_str_eq(device.name, "sda1");
    ck_assert_str_eq(device.file_system, "xfs");
    ck_assert_str_eq(device.mount_point, "/tmp");
    ck_assert_str_eq(device.options, "rw,noatime;rw,data= ordered ");
    ck_assert(device.counted && !device.in_memory);
    ck_assert_str_eq(device_setting(&device, "read_ahead_kb", text), "128");
    ck_assert_str_eq(device_setting(&device, "scheduler", text), "");
    unsigned major_number = 7, minor_number = 7;
    ck_assert(device_number(&device, &major_number, &minor_number));
    ck_assert_uint_eq(major_number, 8);
    ck_assert_uint_eq(minor_number, 0);
}
END_TEST

START_TEST(a_whole_disk)
{
    struct device device;
    char text[128];
    mounts_are("/elsewhere", "ext4");
    made_up_run("mkdir -p sys/devices/zram0/queue sys/dev/block");
    made_up_link(block, "../../devices/zram0");
    made_up_file(below("/queue/scheduler"), "[none] bfq\n");
    ck_assert_int_eq(device_of(&device, made_up_tree(), made_up_tree()), 0);
    ck_assert_str_eq(device.name, "zram0");
    ck_assert_str_eq(device.mount_point, "/");
    ck_assert(!device.counted && device.in_memory);
    ck_assert_str_eq(device_setting(&device, "scheduler", text), "[none] bfq");
}
END_TEST

START_TEST(no_disk)
{
    struct device device;
    char text[128];
    unsigned number;
    ck_assert_int_eq(device_of(&device, made_up_tree(), made_up_tree()), 0);
    ck_assert_str_eq(device.name, "");
    ck_assert_str_eq(device.file_system, "");
    ck_assert_str_eq(device_setting(&device, "scheduler", text), "");
    ck_assert(!device_number(&device, &number, &number));
    ck_assert_int_eq(device_of(&device, made_up_tree(), "/nonexistent"), -ENOENT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device");
    TCase *tcase = tcase_create("device");
    tcase_add_checked_fixture(tcase, set_up, made_up_close);
    tcase_add_test(tcase, a_partition);
    tcase_add_test(tcase, a_whole_disk);
    tcase_add_test(tcase, no_disk);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
