/*
 * Replays saved inputs through a fuzz target, with any compiler: replay PATH...
 *
 * A PATH is a file or a directory of files; one empty input is always tried too. Each input runs in a child
 * process, so that a crash counts once and the rest still runs. The last line is "N passed, N failed".
 * Replaying finds nothing new: that is the work of the fuzzer.
 */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_SECONDS_MAX 30

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned passed_count;
static unsigned failed_count;

static void input_count(const char *name, bool passed)
{
    if (passed) {
        passed_count++;
        return;
    }
    failed_count++;
    printf("failed: %s\n", name);
}

static bool input_survived(int status, const char *name)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (WIFSIGNALED(status))
        printf("%s: %s\n", name, strsignal(WTERMSIG(status)));
    else
        printf("%s: exit code %d\n", name, WEXITSTATUS(status));
    return false;
}

static void input_try(const char *name, const uint8_t *bytes, size_t length)
{
    /* What is buffered would be printed by the child a second time. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(INPUT_SECONDS_MAX);
        LLVMFuzzerTestOneInput(bytes, length);
        exit(0);
    }
    int status = 0;
    bool waited = child > 0 && waitpid(child, &status, 0) == child;
    input_count(name, waited && input_survived(status, name));
}

/* The bytes are a heap block of exactly the file's length: the sanitizer sees a read past it. */
static void file_try(const char *path)
{
    struct stat status = {0};
    FILE *file = fopen(path, "rb");
    bool known = file && fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    size_t length = known ? (size_t)status.st_size : 0;
    uint8_t *bytes = malloc(length);
    if (known && (bytes || length == 0) && fread(bytes, 1, length, file) == length) {
        input_try(path, bytes, length);
    } else {
        printf("%s: cannot be read\n", path);
        input_count(path, false);
    }
    free(bytes);
    if (file) fclose(file);
}

static int name_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void directory_try(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, name_is_visible, alphasort);
    if (count < 0) {
        printf("%s: %s\n", path, strerror(errno));
        input_count(path, false);
    }
    for (int i = 0; i < count; i++) {
        char name[4096];
        int length = snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (length > 0 && (size_t)length < sizeof name)
            file_try(name);
        else
            input_count(entries[i]->d_name, false);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    input_try("the empty input", nothing, 0);
    for (int i = 1; i < argc; i++) {
        struct stat status;
        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
            directory_try(argv[i]);
        else
            file_try(argv[i]);
    }
    printf("%u passed, %u failed\n", passed_count, failed_count);
    return failed_count == 0 ? 0 : 1;
}
