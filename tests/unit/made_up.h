/* A directory that stands for the root of a machine: tests write the files of /proc and /sys that are read. */
#ifndef ZCSERVE_TEST_MADE_UP_H
#define ZCSERVE_TEST_MADE_UP_H

/* Makes the directory; it is open to every user. Fails the test when it cannot. */
void made_up_open(void);
void made_up_close(void);

/* Its path, and that of a file in it, "/proc/meminfo". The second is valid for four calls. */
const char *made_up_tree(void);
const char *made_up_path(const char *path);

/* Writes a file in it, with the directories on its way. */
void made_up_file(const char *path, const char *text);
/* Makes a symbolic link, which may lead nowhere. */
void made_up_link(const char *path, const char *target);
/* Runs a script of the shell in the directory. */
void made_up_run(const char *script);

#endif
