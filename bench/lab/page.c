/* Writes index.html of a folder of results. Everything is computed again from the CSV files. */
#include "page.h"

#include "draw.h"
#include "markup.h"
#include "page_agreement.h"
#include "page_style.h"
#include "results.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- one experiment ---------------------------------------------------------------------------- */

static void plots_write(FILE *to, const char *folder, const struct experiment *e,
                        const struct table *table)
{
    fputs("<figure><div>\n", to);
    for (const struct plot *plot = e->plots; plot && plot->name; plot++) {
        char path[PATH_TEXT_MAX];
        snprintf(path, sizeof path, "%.400s/%s-%s.svg", folder, e->name, plot->name);
        int drawn = draw(plot, table, path);
        if (drawn == -ENOENT || drawn == -EIO)
            fprintf(stderr, "zclab: %s: no plot: %s\n", path,
                    drawn == -ENOENT ? "gnuplot is not installed" : "gnuplot failed");
        if (drawn <= 0) continue;
        fprintf(to, "<div><p class=\"quiet\">");
        escaped(to, plot->title);
        fprintf(to, "</p><img src=\"%s-%s.svg\" loading=\"lazy\" alt=\"", e->name, plot->name);
        tagged(to, "", plot->title, "\"></div>\n");
    }
    fputs("</div><figcaption>Medians of the repetitions; bars reach from the least to the most."
          "</figcaption></figure>\n",
          to);
}

static void findings_write(FILE *to, const struct experiment *e, const struct table *table)
{
    static const char *const sign[] = {"", "<b class=\"reached\">held</b> ",
                                       "<b class=\"missed\">did not hold</b> ",
                                       "<b class=\"quiet\">open</b> "};
    static struct findings findings;
    results_find(e, table, &findings);
    fputs("<ul>\n", to);
    for (unsigned i = 0; i < findings.count; i++) {
        fprintf(to, "<li>%s", sign[findings.finding[i].kind]);
        tagged(to, "", findings.finding[i].text, "</li>\n");
    }
    fputs("</ul>\n", to);
}

static void skipped_write(FILE *to, const json_t *about)
{
    size_t i;
    json_t *item, *list = json_object_get(about, "skipped");
    if (json_array_size(list) == 0) return;
    fputs("<details><summary>Left out, and why</summary><ul>\n", to);
    json_array_foreach(list, i, item)
    {
        tagged(to, "<li><code>", json_words(item, "what"), "</code>: ");
        tagged(to, "", json_words(item, "why"), "</li>\n");
    }
    fputs("</ul></details>\n", to);
}

/* Columns of the table of figures, besides the factors: medians of the repetitions. */
static const char *const shown[] = {
    "mb_per_s",         "iops",  "median_us",       "p99_us",    "p999_us", "user_us_per_op",
    "system_us_per_op", "depth", "syscalls_per_op", "null_ratio"};
enum { SHOWN = sizeof shown / sizeof *shown };

static void case_write(FILE *to, const struct table *t, size_t row, const char *where)
{
    text words;
    fputs("<tr>", to);
    for (unsigned c = 0; c < t->factors; c++) {
        const struct cell *cell = &t->cells[row * t->columns + c];
        bool is_text = !strcmp(t->column[c]->unit, "text");
        if (!is_text && isfinite(cell->number))
            text_figure(words, cell->number, t->column[c]->unit);
        tagged(to, "<td>", is_text ? cell->text : isfinite(cell->number) ? words : "", "</td>");
    }
    for (unsigned s = 0; s < SHOWN; s++) {
        struct sample sample = table_sample(t, shown[s], "%s", where);
        fprintf(to, "<td>%s</td>",
                sample.count ? text_number(words, summarise(&sample).median) : "");
    }
    fputs("</tr>\n", to);
}

static void figures_write(FILE *to, const struct experiment *e, const struct table *t)
{
    char where[FACTORS_TEXT_MAX];
    fprintf(to,
            "<details><summary>Figures: medians of %zu measurements; all in <a "
            "href=\"%s.csv\">%s.csv</a>"
            "</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>",
            t->rows, e->name, e->name);
    for (unsigned c = 0; c < t->factors; c++)
        tagged(to, "<th scope=\"col\">", t->column[c]->name, "</th>");
    for (unsigned s = 0; s < SHOWN; s++)
        tagged(to, "<th scope=\"col\">", axis_words(t->column[table_column(t, shown[s])]), "</th>");
    fputs("</tr></thead><tbody>\n", to);
    for (size_t row = 0; row < t->rows; row++)
        if (table_case(t, row, where)) case_write(to, t, row, where);
    fputs("</tbody></table></div></details>\n", to);
}

static void experiment_write(FILE *to, const char *folder, const struct experiment *e)
{
    struct table table;
    json_t *about = NULL;
    if (results_read(folder, e, &table, &about) == 0) {
        fprintf(to, "<section id=\"%s\"><h2>%u. ", e->name, e->number);
        escaped(to, e->title);
        tagged(to, "</h2>\n<p><strong>", e->question, "</strong></p>\n");
        tagged(to, "<p class=\"quiet\">Expected: ", e->expectation, "</p>\n");
        plots_write(to, folder, e, &table);
        findings_write(to, e, &table);
        fprintf(to,
                "<p class=\"quiet\">A %s run%s, %.0f s. An operation that does nothing takes %.0f "
                "ns in the same loop; "
                "null ratio says how many times as long the real one takes.</p>\n",
                json_words(about, "scale"),
                json_is_true(json_object_get(about, "interrupted")) ? " that was interrupted" : "",
                json_number_value(json_object_get(about, "took_s")),
                json_number_value(json_object_get(about, "null_ns")));
        skipped_write(to, about);
        figures_write(to, e, &table);
        fputs("</section>\n", to);
    }
    table_close(&table);
    json_decref(about);
}

/* ---- the page ---------------------------------------------------------------------------------- */

static void environment_write(FILE *to, const json_t *environment)
{
    const char *part, *name;
    json_t *members, *value;
    fputs("<section id=\"environment\"><h2>Where it was measured</h2><dl>\n", to);
    json_object_foreach((json_t *)(uintptr_t)environment, part, members)
    {
        if (!json_is_object(members)) continue;
        tagged(to, "<dt>", part, "</dt><dd>");
        json_object_foreach(members, name, value)
        {
            char *said = json_dumps(value, JSON_ENCODE_ANY);
            fprintf(to, "%s: ", name);
            tagged(to, "",
                   json_is_string(value) ? json_string_value(value)
                   : said                ? said
                                         : "",
                   "; ");
            free(said);
        }
        fputs("</dd>\n", to);
    }
    fputs("</dl></section>\n", to);
}

static void head_write(FILE *to, const json_t *environment)
{
    const json_t *system = json_object_get(environment, "system");
    const json_t *cpu = json_object_get(environment, "cpu");
    const json_t *device = json_object_get(environment, "device");
    fprintf(
        to,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<title>zclab: the I/O laboratory</title><link rel=\"icon\" href=\"data:,\">"
        "<style>%s</style></head><body><main>\n<h1>The I/O laboratory</h1>\n<p class=\"quiet\">",
        page_style_text);
    tagged(to, "", json_words(system, "date"), ", ");
    tagged(to, "", json_words(cpu, "model"), ", Linux ");
    tagged(to, "", json_words(system, "kernel"), ", ");
    tagged(to, "", json_words(device, "file_system"), " on ");
    tagged(to, "", json_words(device, "name"), ". <a href=\"#environment\">More</a>.</p>\n<ul>\n");
}

int page_write(const char *folder)
{
    const struct experiment *all[32];
    unsigned count = experiments_list(all, 32);
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%.400s/environment.json", folder);
    json_t *environment = json_load_file(path, 0, NULL);
    snprintf(path, sizeof path, "%.400s/index.html", folder);
    FILE *to = environment ? fopen(path, "we") : NULL;
    if (!to) {
        fprintf(stderr, "zclab: %s: %s\n", environment ? path : folder,
                environment ? strerror(errno)
                            : "no environment.json: no results of zclab are here");
        json_decref(environment);
        return -ENOENT;
    }
    head_write(to, environment);
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%.400s/%s.csv", folder, all[i]->name);
        if (access(path, R_OK) == 0) {
            fprintf(to, "<li><a href=\"#%s\">", all[i]->name);
            tagged(to, "", all[i]->question, "</a></li>\n");
        }
    }
    if (agreement_is_there(folder))
        fputs("<li><a href=\"#agreement\">Do other programs measure the same?</a></li>\n", to);
    fputs("</ul>\n", to);
    for (unsigned i = 0; i < count; i++)
        experiment_write(to, folder, all[i]);
    agreement_write(to, folder);
    environment_write(to, environment);
    fputs("</main></body></html>\n", to);
    json_decref(environment);
    return fclose(to) == 0 ? 0 : -errno;
}
