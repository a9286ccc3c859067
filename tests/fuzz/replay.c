/*
 * Replays saved inputs through a fuzz target, with any compiler: replay PATH...
 *
 * A PATH is a file or a directory of files; one empty input is always tried too. All inputs run in one child
 * process. When it does not survive, each runs again in a child of its own, so that a crash counts once, by its
 * name, and the rest still runs. The last line is "N passed, N failed".
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

/* What is tried, in this order; kept until the end. A null is the empty input. */
static char **inputs;
static size_t inputs_length;

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

/* The bytes are a heap block of exactly the file's length: the sanitizer sees a read past it. */
static bool file_try(const char *path)
{
    struct stat status = {0};
    FILE *file = fopen(path, "rb");
    bool known = file && fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    size_t length = known ? (size_t)status.st_size : 0;
    uint8_t *bytes = malloc(length);
    bool read = known && (bytes || length == 0) && fread(bytes, 1, length, file) == length;
    if (read)
        LLVMFuzzerTestOneInput(bytes, length);
    else
        printf("%s: cannot be read\n", path);
    free(bytes);
    if (file) fclose(file);
    return read;
}

/* In a child process: does not return. A null is the empty input. */
static void inputs_try(char *const *paths, size_t count)
{
    static const uint8_t nothing[1];
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        alarm(INPUT_SECONDS_MAX);
        if (paths[i])
            good &= file_try(paths[i]);
        else
            LLVMFuzzerTestOneInput(nothing, 0);
    }
    exit(good ? 0 : 1);
}

/* Whether a child process that tries these inputs ends well; otherwise this says how it ended. */
static bool inputs_survived(const char *name, char *const *paths, size_t count)
{
    /* What is buffered would be printed by the child a second time. */
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) inputs_try(paths, count);
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && input_survived(status, name);
}

/* What is wrong only after other inputs is counted as one more failure. */
static void inputs_count(void)
{
    bool together = inputs_survived("all inputs, one after another", inputs, inputs_length);
    for (size_t i = 0; i < inputs_length; i++) {
        const char *name = inputs[i] ? inputs[i] : "the empty input";
        input_count(name, together || inputs_survived(name, inputs + i, 1));
    }
    if (!together && failed_count == 0) input_count("all inputs, one after another", false);
}

static void input_add(const char *path)
{
    inputs = reallocarray(inputs, inputs_length + 1, sizeof(*inputs));
    char *copy = path ? strdup(path) : NULL;
    if (!inputs || (path && !copy)) abort();
    inputs[inputs_length++] = copy;
}

static int name_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void directory_add(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, name_is_visible, alphasort);
    if (count < 0) {
        printf("%s: %s\n", path, strerror(errno));
        input_count(path, false);
    }
    for (int i = 0; i < count; i++) {
        char name[4096];
        int length = snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (length > 0 && (size_t)length < sizeof(name))
            input_add(name);
        else
            input_count(entries[i]->d_name, false);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    input_add(NULL);
    for (int i = 1; i < argc; i++) {
        struct stat status;
        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
            directory_add(argv[i]);
        else
            input_add(argv[i]);
    }
    inputs_count();
    printf("%u passed, %u failed\n", passed_count, failed_count);
    return failed_count == 0 ? 0 : 1;
}
