/* The folder of a run. */
#include "results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern const struct experiment *const __start_zclab_experiments[];
extern const struct experiment *const __stop_zclab_experiments[];

static int by_number(const void *a, const void *b)
{
    const struct experiment *x = *(const struct experiment *const *)a;
    const struct experiment *y = *(const struct experiment *const *)b;
    return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
                                  : strcmp(x->name, y->name);
}

unsigned experiments_list(const struct experiment *into[], unsigned most)
{
    unsigned count = 0;
    for (const struct experiment *const *e = __start_zclab_experiments;
         e < __stop_zclab_experiments; e++)
        if (count < most) into[count++] = *e;
    qsort(into, count, sizeof *into, by_number);
    return count;
}

const struct experiment *experiment_named(const char *name)
{
    const struct experiment *all[32];
    unsigned count = experiments_list(all, 32);
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

int results_open(const struct options *options, char path[PATH_TEXT_MAX])
{
    char host[65] = "", date[32];
    time_t now = time(NULL);
    struct tm local;
    gethostname(host, sizeof host - 1);
    strftime(date, sizeof date, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    if (options->out)
        snprintf(path, PATH_TEXT_MAX, "%s", options->out);
    else
        snprintf(path, PATH_TEXT_MAX, "zclab-results/%s-%s", date, host);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

FILE *results_csv_open(const char *folder, const struct lab *lab)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%.400s/%s.csv", folder, lab->experiment->name);
    FILE *file = fopen(path, "we");
    if (!file) {
        fprintf(stderr, "zclab: %s: %s\n", path, strerror(errno));
        return NULL;
    }
    table_head_write(&lab->table, lab->experiment->name, file);
    fflush(file);
    return file;
}

void results_find(const struct experiment *experiment, const struct table *table,
                  struct findings *into)
{
    into->count = 0;
    if (table->rows == 0) {
        finding_add(into, FINDING_OPEN, "Nothing was measured.");
        return;
    }
    experiment->find(table, into);
    findings_of_warnings(into, table);
}

/* ---- NAME.json --------------------------------------------------------------------------------- */

static json_t *columns_json(const struct lab *lab)
{
    json_t *list = json_array();
    for (unsigned c = 0; c < lab->table.columns; c++) {
        const struct column *column = lab->table.column[c];
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s}", "name", column->name, "unit",
                                              column->unit, "meaning", column->meaning, "role",
                                              c < lab->table.factors ? "factor" : "figure"));
    }
    return list;
}

static json_t *parameters_json(const struct lab *lab)
{
    json_t *object = json_object();
    const struct parameter *lists[] = {frame_parameters, lab->experiment->parameters};
    for (unsigned l = 0; l < 2; l++)
        for (const struct parameter *p = lists[l]; p && p->name; p++)
            json_object_set_new(
                object, p->name,
                json_string(parameter_text(lab->experiment, lab->options, p->name)));
    return object;
}

static json_t *findings_json(const struct lab *lab)
{
    static const char *const kind[] = {"fact", "held", "not held", "open"};
    static struct findings findings;
    json_t *list = json_array();
    results_find(lab->experiment, &lab->table, &findings);
    for (unsigned i = 0; i < findings.count; i++)
        json_array_append_new(list, json_pack("{s:s,s:s}", "kind", kind[findings.finding[i].kind],
                                              "text", findings.finding[i].text));
    return list;
}

static json_t *skipped_json(const struct lab *lab)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < lab->skips; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:s}", "what", lab->skipped[i].what, "why", lab->skipped[i].why));
    return list;
}

static json_t *about_json(const struct lab *lab)
{
    const struct experiment *e = lab->experiment;
    double took = lab->begun_ns ? (double)(measure_now() - lab->begun_ns) / 1e9 : 0;
    json_t *about =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:f,s:f,s:f,s:b}", "experiment", e->name,
                  "title", e->title, "question", e->question, "expectation", e->expectation,
                  "floor", e->floor, "figure", e->figure, "scale", scale_names[lab->options->scale],
                  "seed", (json_int_t)lab->options->seed, "took_s", took, "measurement_s",
                  (double)lab->seconds_ns / 1e9, "null_ns", lab->null_ns, "interrupted",
                  (int)measure_stopped);
    json_object_set_new(about, "parameters", parameters_json(lab));
    json_object_set_new(about, "columns", columns_json(lab));
    json_object_set_new(about, "skipped", skipped_json(lab));
    json_object_set_new(about, "findings", findings_json(lab));
    return about;
}

int results_write(const char *folder, struct lab *lab)
{
    char path[PATH_TEXT_MAX], part[PATH_TEXT_MAX + 8];
    snprintf(path, sizeof path, "%.400s/%s.csv", folder, lab->experiment->name);
    snprintf(part, sizeof part, "%s.part", path);
    FILE *file = fopen(part, "we");
    if (!file) return -errno;
    table_head_write(&lab->table, lab->experiment->name, file);
    for (size_t r = 0; r < lab->table.rows; r++)
        table_row_write(&lab->table, r, lab->experiment->name, file);
    if (fclose(file) != 0 || rename(part, path) < 0) return -errno;
    snprintf(path, sizeof path, "%.400s/%s.json", folder, lab->experiment->name);
    json_t *about = about_json(lab);
    int failed = json_dump_file(about, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    json_decref(about);
    return failed ? -EIO : 0;
}

int results_read(const char *folder, const struct experiment *experiment, struct table *table,
                 json_t **about)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%.400s/%s.csv", folder, experiment->name);
    table_open(table, experiment->factors, experiment->figures);
    int result = table_read(table, path);
    if (!about) return result;
    snprintf(path, sizeof path, "%.400s/%s.json", folder, experiment->name);
    *about = json_load_file(path, 0, NULL);
    return result;
}
