/*
 * Users are in one block of memory: the struct, the users by their names, and a copy of the text, to which
 * they point. A NUL replaces the end of each hash there.
 */
#include "zcserve/htpasswd.h"
#include "users/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define CHALLENGE_MAX 80

struct made {
    struct users users;
    char challenge[CHALLENGE_MAX];
    char *text; /* behind the users */
    struct user user[];
};

struct reading {
    const char *file;
    unsigned line;
    char *problem;
    size_t size;
};

/* A user, and the line where it was written. */
struct found {
    struct user user;
    unsigned line;
};

static bool reading_fail(const struct reading *r, const char *what)
{
    snprintf(r->problem, r->size, "%s:%u: %s", r->file, r->line, what);
    return false;
}

/* Takes the next line from *rest, without its end. Returns false after the last one. */
static bool line_next(struct text *rest, struct text *line)
{
    if (rest->length == 0) return false;
    const char *end = memchr(rest->base, '\n', rest->length);
    size_t length = end ? (size_t)(end - rest->base) : rest->length;
    *line = (struct text){rest->base, length};
    if (end) length++;
    *rest = (struct text){rest->base + length, rest->length - length};
    if (line->length > 0 && line->base[line->length - 1] == '\r') line->length--;
    return true;
}

static bool is_user(struct text line)
{
    return line.length > 0 && line.base[0] != '#';
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool name_valid(const struct reading *r, struct text name)
{
    if (name.length == 0) return reading_fail(r, "there is no name before the ':'");
    if (name.length > USER_NAME_MAX) return reading_fail(r, "the name is longer than 255 bytes");
    for (size_t i = 0; i < name.length; i++)
        if ((unsigned char)name.base[i] < ' ' || name.base[i] == 0x7f)
            return reading_fail(r, "the name has a control character, which no client can send");
    return true;
}

static bool line_read(const struct reading *r, struct text line, struct user *user)
{
    if (line.length > HTPASSWD_LINE_MAX)
        return reading_fail(r, "the line is longer than 1023 bytes");
    char *colon = memchr(line.base, ':', line.length);
    if (!colon) return reading_fail(r, "write name:hash, as htpasswd does");
    user->name = (struct text){line.base, (size_t)(colon - line.base)};
    user->hash = colon + 1;
    struct text hash = {user->hash, line.length - user->name.length - 1};
    const char *fault = hash_fault(hash);
    if (!name_valid(r, user->name)) return false;
    return !fault || reading_fail(r, fault);
}

/* Reads all lines. Ends each hash with a NUL, in the place of the end of its line. */
static bool lines_read(struct reading *r, struct text text, struct made *made, struct found *found)
{
    struct text rest = text, line;
    for (r->line = 1; line_next(&rest, &line); r->line++) {
        struct found *one = &found[made->users.count];
        if (!is_user(line)) continue;
        if (made->users.count == HTPASSWD_USERS_MAX)
            return reading_fail(r, "there are more than 16384 users");
        if (!line_read(r, line, &one->user)) return false;
        one->line = r->line;
        made->users.count++;
        made->text[line.base + line.length - made->text] = '\0';
    }
    if (made->users.count > 0) return true;
    return reading_fail(r, "there is no user; to refuse all requests, write deny = all");
}

/* ---- users ----------------------------------------------------------------------------------- */

static int names_compare(struct text a, struct text b)
{
    if (a.length != b.length) return a.length < b.length ? -1 : 1;
    return memcmp(a.base, b.base, a.length);
}

static int found_compare(const void *a, const void *b)
{
    const struct found *one = a, *two = b;
    int names = names_compare(one->user.name, two->user.name);
    return names != 0 ? names : one->line < two->line ? -1 : 1;
}

/* Sorts the users. Returns false when two have the same name: the second one is reported. */
static bool users_sort(struct reading *r, struct made *made, struct found *found)
{
    qsort(found, made->users.count, sizeof(*found), found_compare);
    for (uint32_t i = 0; i < made->users.count; i++) {
        made->user[i] = found[i].user;
        r->line = found[i].line;
        if (i > 0 && names_compare(made->user[i - 1].name, made->user[i].name) == 0) {
            char what[64];
            snprintf(what, sizeof(what), "the user is in line %u already; remove one of them",
                     found[i - 1].line);
            return reading_fail(r, what);
        }
        uint64_t bytes = hash_bytes((struct text){made->user[i].hash, strlen(made->user[i].hash)});
        if (bytes > made->users.check_bytes_max) made->users.check_bytes_max = bytes;
    }
    return true;
}

/* Each file has its own realm, so that a browser does not send the password of one to the other. */
static void challenge_make(struct made *made, uint32_t number)
{
    char after[16] = "";
    if (number > 0) snprintf(after, sizeof(after), " %u", number + 1);
    int length =
        snprintf(made->challenge, sizeof(made->challenge),
                 "WWW-Authenticate: Basic realm=\"zcserve%s\", charset=\"UTF-8\"\r\n", after);
    made->users.challenge = (struct text){made->challenge, (size_t)length};
    made->users.number = number;
    made->users.user = made->user;
}

/* Returns how many users there may be: lines that are none of the others. */
static size_t users_count(struct text text)
{
    size_t count = 0;
    struct text line;
    while (line_next(&text, &line))
        count += is_user(line);
    return count < HTPASSWD_USERS_MAX ? count : HTPASSWD_USERS_MAX;
}

static struct made *made_new(struct text text, size_t users)
{
    struct made *made = malloc(sizeof(*made) + users * sizeof(struct user) + text.length + 1);
    if (!made) return NULL;
    made->users = (struct users){.count = 0};
    made->text = (char *)&made->user[users];
    if (text.length > 0) memcpy(made->text, text.base, text.length);
    made->text[text.length] = '\0';
    return made;
}

struct users *htpasswd_parse(const char *file, struct text text, uint32_t number, char *problem,
                             size_t size)
{
    struct reading r = {.file = file, .problem = problem, .size = size};
    size_t users = users_count(text);
    struct made *made = made_new(text, users);
    struct found *found = malloc((users + 1) * sizeof(*found));
    bool good = false;
    if (made && found) {
        struct text copy = {made->text, text.length};
        good = lines_read(&r, copy, made, found) && users_sort(&r, made, found);
        challenge_make(made, number);
    } else {
        snprintf(problem, size, "%s: not enough memory", file);
    }
    free(found);
    if (good) return &made->users;
    free(made);
    return NULL;
}

void users_free(struct users *users)
{
    free(users); /* the first member of what was made */
}

const struct user *users_find(const struct users *users, struct text name)
{
    uint32_t low = 0, high = users->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = names_compare(users->user[middle].name, name);
        if (order == 0) return &users->user[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Reads the whole file into `space`. Returns its length, or -errno. */
static long file_read(const char *file, char *space, size_t size, bool *open)
{
    struct stat status;
    FILE *stream = fopen(file, "re");
    if (!stream) return -errno;
    *open = fstat(fileno(stream), &status) == 0 && (status.st_mode & S_IROTH) != 0;
    size_t length = fread(space, 1, size, stream);
    int error = ferror(stream) ? errno : 0;
    if (length == size) error = EFBIG;
    fclose(stream);
    return error != 0 ? -error : (long)length;
}

struct users *htpasswd_load(const char *file, uint32_t number, bool *open, char *problem,
                            size_t size)
{
    char *space = malloc(HTPASSWD_BYTES_MAX + 1);
    struct users *users = NULL;
    long length = space ? file_read(file, space, HTPASSWD_BYTES_MAX + 1, open) : -ENOMEM;
    if (length == -EFBIG)
        snprintf(problem, size, "%s: it has more than 4 MiB", file);
    else if (length < 0)
        snprintf(problem, size, "%s: %s", file, strerror((int)-length));
    else
        users = htpasswd_parse(file, (struct text){space, (size_t)length}, number, problem, size);
    free(space);
    return users;
}
