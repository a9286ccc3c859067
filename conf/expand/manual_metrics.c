/*
 * The metrics as a list of a manual page. It is made of what a server writes: document_metrics()
 * shows a board with one worker, and that text is read again.
 */
#include "directive.h"
#include "roff.h"

#include "status/document.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_BYTES 64
#define LABELS_MAX 8
#define VALUES_MAX 2048 /* bytes of all values of a label, with ", " between them and a NUL */

struct label {
    char name[NAME_MAX_BYTES];
    char values[VALUES_MAX];
};

struct family {
    char name[NAME_MAX_BYTES];
    char type[NAME_MAX_BYTES];
    const char *help; /* points into the text */
    struct label label[LABELS_MAX];
    size_t labels;
};

/* ---- what a server writes --------------------------------------------------------------------- */

/* A histogram without a value is not written, so each gets one. */
static void slot_fill(struct stats_slot *slot)
{
    stats_set(&slot->starts, 1);
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int source = 0; source < SOURCE_COUNT; source++)
            stats_phase(slot, (enum phase)phase, (enum source)source, 1);
}

static int document_write(const struct status_subject *subject, FILE *out)
{
    struct document *document = document_open(subject);
    if (!document) return -1;
    document_metrics(document, out);
    document_close(document);
    return 0;
}

/* Returns the metrics of a made-up server, which the caller frees; NULL: there is no memory. */
static char *metrics_take(void)
{
    char *text = NULL;
    size_t length;
    struct service service = {.workers = 1, .processes = 1, .board = stats_board_open(1)};
    struct status_shared *shared = status_shared_open(1);
    FILE *out = open_memstream(&text, &length);
    int result = -1;
    if (service.board && shared && out) {
        struct status_subject subject = {.service = &service, .board = service.board};
        subject.shared = shared;
        subject.version = subject.model = subject.root = "";
        subject.supervisor = getpid();
        shared->slots = 1;
        slot_fill(&service.board[0]);
        result = document_write(&subject, out);
    }
    if (out && fclose(out) != 0) result = -1;
    if (shared) status_shared_close(shared);
    if (service.board) stats_board_close(service.board, 1);
    if (result == 0) return text;
    free(text);
    return NULL;
}

/* ---- families --------------------------------------------------------------------------------- */

/* Returns whether the values of a label depend on the server that is shown. */
static bool is_free(const char *label)
{
    static const char *const names[] = {"worker", "process", "index", "le", "version", "model"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(label, names[i]) == 0) return true;
    return false;
}

static struct label *label_find(struct family *family, const char *name)
{
    size_t i = 0;
    while (i < family->labels && strcmp(family->label[i].name, name) != 0)
        i++;
    if (i == LABELS_MAX) return NULL;
    struct label *label = &family->label[i];
    if (i == family->labels) {
        *label = (struct label){0};
        snprintf(label->name, sizeof(label->name), "%s", name);
        family->labels++;
    }
    return label;
}

/* Adds a value that the label has not had in the sample before, or ever. */
static void value_add(struct label *label, const char *value)
{
    char with_ends[NAME_MAX_BYTES + 4], all[VALUES_MAX + 4];
    size_t used = strlen(label->values);
    snprintf(with_ends, sizeof(with_ends), " %s,", value);
    snprintf(all, sizeof(all), " %s,", label->values);
    if (is_free(label->name) || strstr(all, with_ends)) return;
    snprintf(label->values + used, VALUES_MAX - used, "%s%s", used ? ", " : "", value);
}

/* Reads the labels of a sample: name{worker="0",class="2xx"} 7. Returns -1: there are too many. */
static int sample_read(struct family *family, const char *line)
{
    char name[NAME_MAX_BYTES], value[NAME_MAX_BYTES];
    int length = 0;
    const char *at = strchr(line, '{');
    for (; at && at[0] != '}'; at += length) {
        value[0] = '\0';
        if (sscanf(++at, "%63[a-z_]=\"%n", name, &length) != 1 || length == 0) return -1;
        at += length;
        length = (int)strcspn(at, "\"");
        snprintf(value, sizeof(value), "%.*s", length, at);
        at += length + 1;
        length = 0;
        struct label *label = label_find(family, name);
        if (!label) return -1;
        value_add(label, value);
    }
    return 0;
}

static void family_write(FILE *out, const struct family *family)
{
    if (!family->name[0]) return;
    roff_entry(out, family->name);
    fprintf(out, "%s.\n", family->type);
    roff_text(out, family->help);
    for (size_t i = 0; i < family->labels; i++) {
        const struct label *label = &family->label[i];
        fputs(i == 0 ? ".br\nLabels: " : "", out);
        fputs("\\fI", out);
        roff_literal(out, label->name);
        fputs("\\fP", out);
        if (label->values[0]) {
            fputs(" (", out);
            roff_literal(out, label->values);
            putc(')', out);
        }
        fputs(i + 1 < family->labels ? ",\n" : ".\n", out);
    }
}

static int line_take(FILE *out, struct family *family, const char *line)
{
    int begin = 0;
    if (strncmp(line, "# HELP ", 7) == 0) {
        family_write(out, family);
        *family = (struct family){0};
        if (sscanf(line, "# HELP %63s %n", family->name, &begin) != 1 || begin == 0) return -1;
        family->help = line + begin;
        return 0;
    }
    if (line[0] == '#') return sscanf(line, "# TYPE %*s %63s", family->type) == 1 ? 0 : -1;
    return sample_read(family, line);
}

int expand_metrics(const struct expansion *e, const char *words)
{
    static struct family family;
    char *text = metrics_take();
    int result = text && !words[0] ? 0 : -1;
    family = (struct family){0};
    for (char *rest, *line = text ? strtok_r(text, "\n", &rest) : NULL; line && result == 0;
         line = strtok_r(NULL, "\n", &rest))
        result = line_take(e->out, &family, line);
    if (result == 0)
        family_write(e->out, &family);
    else
        fputs("expand: the metrics cannot be read\n", stderr);
    free(text);
    return result;
}
