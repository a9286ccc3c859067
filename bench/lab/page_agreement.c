#include "page_agreement.h"

#include "markup.h"
#include "results.h"
#include "statistics.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

static json_t *agreement_read(const char *folder)
{
    char path[PATH_TEXT_MAX];
    json_error_t error;
    snprintf(path, sizeof path, "%.400s/agreement.json", folder);
    if (access(path, F_OK) != 0) return NULL;
    json_t *agreement = json_load_file(path, 0, &error);
    if (!agreement) fprintf(stderr, "zclab: %s:%d: %s\n", path, error.line, error.text);
    return agreement;
}

static struct sample sample_of(const json_t *row, const char *name)
{
    struct sample sample = {0};
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(row, name), i, value)
    {
        if (sample.count < SAMPLE_MAX) sample.value[sample.count++] = json_number_value(value);
    }
    return sample;
}

static void figure_write(FILE *to, const struct summary *summary, const char *unit)
{
    text value;
    fprintf(to, "<td>%s</td><td>%.0f %%</td>", text_figure(value, summary->median, unit),
            100 * summary->spread);
}

static void row_write(FILE *to, const json_t *row)
{
    struct sample ours = sample_of(row, "zclab"), theirs = sample_of(row, "other");
    if (ours.count == 0 || theirs.count == 0) return;
    struct summary our = summarise(&ours), their = summarise(&theirs);
    tagged(to, "<tr><td>", json_words(row, "work"), "</td>");
    figure_write(to, &our, json_words(row, "unit"));
    tagged(to, "<td>", json_words(row, "by"), "</td>");
    figure_write(to, &their, json_words(row, "unit"));
    fprintf(to, "<td>%.2f</td>", our.median / their.median);
    tagged(to, "<td>", json_words(row, "verdict"), "</td></tr>\n");
}

bool agreement_is_there(const char *folder)
{
    json_t *agreement = agreement_read(folder);
    json_decref(agreement);
    return agreement;
}

void agreement_write(FILE *to, const char *folder)
{
    static const char *const heads[] = {
        "work",       "zclab",           "turns differ by", "other program",
        "its figure", "turns differ by", "ratio",           ""};
    json_t *row, *agreement = agreement_read(folder);
    size_t i;
    if (!agreement) return;
    tagged(to,
           "<section id=\"agreement\"><h2>Do other programs measure the same?</h2>\n<p>The same "
           "work by "
           "zclab and by ",
           json_words(agreement, "fio"),
           ", in turns on the same file; system calls by zclab and by strace. Medians; they agree "
           "when "
           "they are within 10 %. How it is done: <code>bench/lab/agreement</code>.</p>\n"
           "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
    for (i = 0; i < sizeof heads / sizeof *heads; i++)
        tagged(to, "<th scope=\"col\">", heads[i], "</th>");
    fputs("</tr></thead><tbody>\n", to);
    json_array_foreach(json_object_get(agreement, "rows"), i, row)
    {
        row_write(to, row);
    }
    fputs("</tbody></table></div></section>\n", to);
    json_decref(agreement);
}
