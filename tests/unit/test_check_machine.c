/* Tests of src/doctor/check_machine.c: memory, disk and clock of made-up machines. */
#include "examined.h"

#define MEMINFO(total, available, swap, unused)                                              \
    "MemTotal:       " total " kB\nMemFree:        1 kB\nMemAvailable:   " available " kB\n" \
    "SwapTotal:      " swap " kB\nSwapFree:       " unused " kB\n"

START_TEST(memory_of_the_machine)
{
    examined_begin("cache { size = 1g }\n");
    examined_is(check_memory, "(/proc/meminfo)");
    made_up_file("/proc/meminfo", MEMINFO("16777216", "1", "0", "0"));
    examined_is(check_memory, "");
    made_up_file("/proc/meminfo", MEMINFO("1572864", "1", "0", "0"));
    examined_is(check_memory,
                "warn: cache.size is 1.00 GiB of the 1.50 GiB of memory of this machine: little is "
                "left for the page cache, from which larger files are sent. Remedy: a smaller "
                "cache.size, or more memory\n");
    made_up_file("/proc/meminfo", MEMINFO("1048576", "1", "0", "0"));
    examined_is(check_memory,
                "harm: cache.size is 1.00 GiB, and the memory of this machine is 1.00 GiB: the "
                "kernel kills a worker before its cache is full. Remedy: cache { size = 256m }\n");
    examined_end();
}
END_TEST

/* The limit of a group above counts too; "max" is none. */
START_TEST(memory_of_the_control_group)
{
    examined_begin("cache { size = 1g }\n");
    made_up_file("/proc/meminfo", MEMINFO("16777216", "1", "0", "0"));
    made_up_file("/proc/self/cgroup", "4:memory:/old\n0::/system.slice/zcserve.service\n");
    made_up_file("/sys/fs/cgroup/system.slice/zcserve.service/memory.max", "max\n");
    examined_is(check_memory, "");
    made_up_file("/sys/fs/cgroup/system.slice/memory.max", "536870912\n");
    examined_is(check_memory,
                "harm: cache.size is 1.00 GiB, and the memory of its control group (memory.max) is "
                "512 MiB: the kernel kills a worker before its cache is full. Remedy: cache { size "
                "= 128m }\n");
    made_up_file("/proc/self/cgroup", "0::/\n");
    examined_is(check_memory, "");
    made_up_file("/sys/fs/cgroup/memory.max", "1342177280\n"); /* of a container */
    ck_assert_ptr_nonnull(strstr(examined(check_memory), "of the 1.25 GiB of memory of its control "
                                                         "group (memory.max): little"));
    examined_end();
}
END_TEST

START_TEST(swap)
{
    examined_begin("");
    examined_is(check_swap, "(/proc/meminfo)");
    made_up_file("/proc/meminfo", MEMINFO("1048576", "1", "2097152", "1048576"));
    examined_is(check_swap, "(/proc/sys/vm/swappiness)");
    made_up_file("/proc/sys/vm/swappiness", "60\n");
    examined_is(check_swap,
                "warn: 1.00 GiB are swapped out (vm.swappiness is 60): what is swapped out of the "
                "cache is read from the disk while all other connections of the worker wait. "
                "Remedy: MemorySwapMax=0 in the unit of systemd, or sysctl vm.swappiness=1\n");
    made_up_file("/proc/sys/vm/swappiness", "1\n");
    examined_is(check_swap, "");
    made_up_file("/proc/sys/vm/swappiness", "60\n");
    made_up_file("/proc/meminfo", MEMINFO("1048576", "1", "0", "0"));
    examined_is(check_swap, "");
    examined_end();
}
END_TEST

START_TEST(dirty)
{
    examined_begin("");
    examined_is(check_dirty, "(/proc/sys/vm/dirty_ratio)");
    made_up_file("/proc/meminfo", MEMINFO("67108864", "52428800", "0", "0"));
    made_up_file("/proc/sys/vm/dirty_ratio", "20\n");
    made_up_file("/proc/sys/vm/dirty_bytes", "0\n");
    examined_is(
        check_dirty,
        "note: 10.0 GiB may wait to be written (vm.dirty_ratio): after a large deploy, files "
        "that are not in memory wait behind it, and so do logs. Remedy: sysctl "
        "vm.dirty_background_bytes=268435456 vm.dirty_bytes=1073741824\n");
    made_up_file("/proc/sys/vm/dirty_bytes", "1073741824\n");
    examined_is(check_dirty, "");
    examined_end();
}
END_TEST

START_TEST(huge_pages)
{
    examined_begin("");
    examined_is(check_huge_pages, "(/sys/kernel/mm/transparent_hugepage)");
    made_up_file("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    made_up_file("/sys/kernel/mm/transparent_hugepage/defrag",
                 "always defer defer+madvise [madvise] never\n");
    examined_is(check_huge_pages, "");
    made_up_file("/sys/kernel/mm/transparent_hugepage/defrag",
                 "[always] defer defer+madvise madvise never\n");
    examined_is(
        check_huge_pages,
        "warn: transparent huge pages are on for all programs, and a page fault waits while memory "
        "is compacted (enabled and defrag are always): a worker may stop for milliseconds. "
        "Remedy: echo madvise > /sys/kernel/mm/transparent_hugepage/defrag\n");
    made_up_file("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    examined_is(check_huge_pages, "");
    examined_end();
}
END_TEST

/* A disk with these settings. */
static void disk_is(const char *name, const char *scheduler, const char *rotational,
                    const char *ahead)
{
    struct device *device = &facts.device[0];
    *device = (struct device){.tree = facts.tree, .queue = "/sys/dev/block/8:0/queue"};
    snprintf(device->name, sizeof(device->name), "%s", name);
    facts.survey.systems = 1;
    made_up_file("/sys/dev/block/8:0/queue/scheduler", scheduler);
    made_up_file("/sys/dev/block/8:0/queue/rotational", rotational);
    made_up_file("/sys/dev/block/8:0/queue/read_ahead_kb", ahead);
}

START_TEST(read_ahead)
{
    examined_begin("");
    examined_is(check_read_ahead, "(no disk tells its read_ahead_kb)");
    disk_is("sda", "none\n", "1\n", "128\n");
    examined_is(check_read_ahead, "");
    disk_is("sda", "none\n", "1\n", "0\n");
    examined_is(check_read_ahead,
                "warn: sda: the kernel reads 0 KiB ahead (read_ahead_kb), so large files come from "
                "the disk in small pieces. Remedy: echo 128 > "
                "/sys/dev/block/8:0/queue/read_ahead_kb; 'zclab advise' measures\n");
    facts.device[0].in_memory = true; /* zram */
    examined_is(check_read_ahead, "(no disk tells its read_ahead_kb)");
    disk_is("sda", "none\n", "1\n", "16384\n");
    facts.device[1] = facts.device[0]; /* is told once */
    facts.survey.systems = 2;
    examined_is(
        check_read_ahead,
        "note: sda: the kernel reads 16384 KiB ahead (read_ahead_kb), which pushes much out "
        "of the page cache for a small range. Remedy: echo 1024 > "
        "/sys/dev/block/8:0/queue/read_ahead_kb; 'zclab advise' measures\n");
    examined_end();
}
END_TEST

START_TEST(scheduler)
{
    static const char bfq[] = "none mq-deadline kyber [bfq]\n", none[] = "[none] mq-deadline\n";
    examined_begin("");
    examined_is(check_scheduler, "(no disk tells its scheduler)");
    disk_is("nvme0n1", none, "0\n", "128\n");
    examined_is(check_scheduler, "");
    disk_is("nvme0n1", bfq, "0\n", "128\n");
    examined_is(
        check_scheduler,
        "note: nvme0n1: the I/O scheduler is bfq, which costs CPU time for each read, and "
        "this disk does not turn. Remedy: echo none > /sys/dev/block/8:0/queue/scheduler\n");
    disk_is("sda", none, "1\n", "128\n");
    examined_is(check_scheduler,
                "warn: sda: this disk turns, and has no I/O scheduler that puts reads in order. "
                "Remedy: echo mq-deadline > /sys/dev/block/8:0/queue/scheduler\n");
    disk_is("vda", none, "1\n", "128\n"); /* the host has one */
    examined_is(check_scheduler, "");
    disk_is("sda", bfq, "1\n", "128\n");
    examined_is(check_scheduler, "");
    disk_is("dm-0", "none\n", "1\n", "128\n"); /* nothing to choose */
    examined_is(check_scheduler, "");
    examined_end();
}
END_TEST

START_TEST(clock_source)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    static const char *const fast[] = {"tsc\n", "kvm-clock\n", "arch_sys_counter\n",
                                       "hyperv_clocksource_tsc_page\n"};
    examined_begin("");
    ck_assert_int_eq(examined(check_clock)[0], '(');
    for (size_t i = 0; i < sizeof(fast) / sizeof(fast[0]); i++) {
        made_up_file(path, fast[i]);
        examined_is(check_clock, "");
    }
    made_up_file(path, "hpet\n");
    examined_is(
        check_clock,
        "warn: the clock source is hpet, so reading the time is a system call (vdso(7)), and "
        "it is read several times for each request. Remedy: clocksource=tsc on the kernel's "
        "command line, if the CPU's is stable (available_clocksource lists it)\n");
    made_up_file(path, "xen\n"); /* depends on what the host offers */
    ck_assert_ptr_nonnull(
        strstr(examined(check_clock), "so reading the time may be a system call"));
    examined_end();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("machine");
    tcase_add_test(tcase, memory_of_the_machine);
    tcase_add_test(tcase, memory_of_the_control_group);
    tcase_add_test(tcase, swap);
    tcase_add_test(tcase, dirty);
    tcase_add_test(tcase, huge_pages);
    tcase_add_test(tcase, read_ahead);
    tcase_add_test(tcase, scheduler);
    tcase_add_test(tcase, clock_source);
    return examined_run(tcase);
}
