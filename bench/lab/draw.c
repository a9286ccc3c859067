/*
 * Plots by gnuplot. Text and lines are drawn in a colour that nothing else has. Afterwards that becomes
 * currentColor, and a style in the file sets it by the reader's colour scheme (as bench/zcbench/plots.py
 * does). Axes have units, bars begin at zero, and error bars reach from the least to the most repetition.
 */
#include "draw.h"

#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INK "#010203"
enum { WIDTH = 480, HEIGHT = 380, TICS_MAX = 7, BAR_HEIGHT = 24, BARS_MAX = 60, FRAME = 80 };

static const char *const colour[] = {"#c8452d", "#4a80c4", "#3d9464", "#e8833a", "#8d66bd",
                                     "#34a0a8", "#bb5a86", "#b08a2e", "#8c8c8c", "#7dba95"};
static const int mark[] = {7, 5, 9, 11, 13, 6, 4, 8, 10, 12};
enum { COLOURS = sizeof colour / sizeof *colour };

/* Axis texts of figures whose name says too little. For all others: the name in words, and the unit. */
static const char *const axis[][2] = {{"mb_per_s", "MB/s"},
                                      {"iops", "operations per second"},
                                      {"mean_us", "mean latency in µs"},
                                      {"median_us", "median latency in µs"},
                                      {"p95_us", "p95 latency in µs"},
                                      {"p99_us", "p99 latency in µs"},
                                      {"p999_us", "p99.9 latency in µs"},
                                      {"max_us", "longest latency in µs"},
                                      {"user_us_per_op", "user CPU in µs per operation"},
                                      {"system_us_per_op", "kernel CPU in µs per operation"},
                                      {"user_us_per_mib", "user CPU in µs per MiB"},
                                      {"system_us_per_mib", "kernel CPU in µs per MiB"},
                                      {"cpu_us_per_mib", "CPU in µs per MiB"},
                                      {"syscalls_per_op", "system calls per operation"},
                                      {"lost_bytes", "bytes lost"},
                                      {"at_risk_bytes", "bytes at risk"},
                                      {"depth", "requests at the device"},
                                      {"server_us_per_op", "server's CPU in µs per request"},
                                      {"amplification", "bytes moved / bytes asked for"},
                                      {"million_rows_per_s", "million rows per second"}};

const char *axis_words(const struct column *column)
{
    static char words[160];
    const char *unit = !strcmp(column->unit, "us") ? "µs" : column->unit;
    for (unsigned i = 0; i < sizeof axis / sizeof *axis; i++)
        if (!strcmp(column->name, axis[i][0])) return axis[i][1];
    snprintf(words, sizeof words, "%s", column->name);
    size_t length = strlen(words), tail = strlen(column->unit) + 1;
    bool said = length > tail && words[length - tail] == '_' &&
                !strcmp(words + length - tail + 1, column->unit);
    if (said) words[length - tail] = '\0'; /* block_bytes: block */
    for (char *c = words; *c; c++)
        if (*c == '_') *c = ' ';
    bool bare = !strcmp(unit, "count") || !strcmp(unit, "ratio") || !strcmp(unit, "text") ||
                !strcmp(unit, "share") ||
                !strcmp(unit, "bytes"); /* bytes have their unit at each tic */
    if (!bare) snprintf(words + strlen(words), sizeof words - strlen(words), " in %s", unit);
    return words;
}

/* Returns the text on a figure's axis. It names bytes, because the tics are bare numbers. */
static const char *figure_axis_words(const struct column *column)
{
    static char words[200];
    snprintf(words, sizeof words, "%s%s", axis_words(column),
             !strcmp(column->unit, "bytes") ? " in bytes" : "");
    return words;
}

/* ---- what is drawn ----------------------------------------------------------------------------- */

struct picture {
    const struct plot *plot;
    const struct table *table;
    const struct column *x, *y;
    struct cell series[DISTINCT_MAX];
    unsigned lines;
    double least, most; /* of the values that are drawn */
    FILE *to;
};

static char *cell_words(text into, const struct column *column, const struct cell *cell)
{
    if (!strcmp(column->unit, "text"))
        snprintf(into, TEXT_MAX, "%s", cell->text[0] ? cell->text : "–");
    else
        text_figure(into, cell->number, column->unit);
    for (char *c = into; *c; c++)
        if (*c == '"' || *c == '\\') *c = ' ';
    return into;
}

/* Writes the condition by which table_matches() chooses the rows of one line: "WHERE series=value". */
static void line_where(const struct picture *p, unsigned line, char into[320])
{
    if (!p->plot->series) {
        snprintf(into, 320, "%.250s", p->plot->where);
        return;
    }
    int c = table_column(p->table, p->plot->series);
    if (!strcmp(p->table->column[c]->unit, "text"))
        snprintf(into, 320, "%.200s %s=%s", p->plot->where, p->plot->series, p->series[line].text);
    else
        snprintf(into, 320, "%.200s %s=%.10g", p->plot->where, p->plot->series,
                 p->series[line].number);
}

static char *line_title(const struct picture *p, unsigned line, text into)
{
    into[0] = '\0';
    if (!p->plot->series) return into;
    const struct column *column = p->table->column[table_column(p->table, p->plot->series)];
    text value;
    cell_words(value, column, &p->series[line]);
    if (!strcmp(column->unit, "count"))
        snprintf(into, TEXT_MAX, "%.12s %.30s", column->name, value);
    else
        snprintf(into, TEXT_MAX, "%s", value);
    return into;
}

static void head_write(struct picture *p, const char *path, int height)
{
    fprintf(p->to,
            "set terminal svg size %d,%d font 'DejaVu Sans,13' dynamic noenhanced\n"
            "set output '%s'\nset encoding utf8\nset decimalsign '.'\n"
            "set border 3 lc rgb '" INK "' lw 0.8\n"
            "set tics textcolor rgb '" INK "' nomirror out scale 0.5\n"
            "set grid x y lc rgb '#808080' lw 0.4 dt 3\n"
            "set key textcolor rgb '" INK
            "' outside below width 1 samplen 2 spacing 1.1 maxrows 5\n",
            WIDTH, height, path);
}

/* ---- lines ------------------------------------------------------------------------------------- */

/* Writes tics at the measured places, but few enough to be read on a narrow screen. */
static void tics_write(struct picture *p)
{
    struct cell x[DISTINCT_MAX];
    unsigned count = table_distinct(p->table, p->plot->x, x, "%s", p->plot->where);
    unsigned step = count / TICS_MAX + 1, written = 0;
    if (!p->plot->log_x) return;
    if (count == 0) return;
    fprintf(p->to, "set logscale x 2\nset xrange [%.10g:%.10g]\nset xtics (",
            0.93 * (x[0].number > 0 || count < 2 ? x[0].number : x[1].number),
            1.07 * x[count - 1].number);
    double width = log(x[count - 1].number / x[0].number), last = -INFINITY;
    for (unsigned i = 0; i < count; i += step) {
        text words;
        if (!(x[i].number > 0) || log(x[i].number) - last < width / 9) continue;
        last = log(x[i].number);
        fprintf(p->to, "%s\"%s\" %.10g", written++ ? ", " : "", cell_words(words, p->x, &x[i]),
                x[i].number);
    }
    fputs(")\n", p->to);
}

static bool data_write(struct picture *p, unsigned line)
{
    char where[320];
    line_where(p, line, where);
    struct curve curve = curve_of(p->table, p->plot->x, p->plot->y, where);
    if (curve.count == 0) return false;
    fprintf(p->to, "$line%u << EOD\n", line);
    for (unsigned i = 0; i < curve.count; i++) {
        struct summary s = summarise(&curve.y[i]);
        if (p->plot->log_y && !(s.least > 0)) continue;
        p->least = fmin(p->least, s.least);
        p->most = fmax(p->most, s.most);
        fprintf(p->to, "%.10g %.10g %.10g %.10g\n", curve.x[i], s.median, s.least, s.most);
    }
    fputs("EOD\n", p->to);
    return true;
}

static bool lines_write(struct picture *p, const char *path)
{
    bool there[DISTINCT_MAX], any = false;
    head_write(p, path, HEIGHT);
    for (unsigned l = 0; l < p->lines; l++)
        any |= there[l] = data_write(p, l);
    fprintf(p->to, "set xlabel \"%s\" textcolor rgb '" INK "'\n", axis_words(p->x));
    fprintf(p->to, "set ylabel \"%s\" textcolor rgb '" INK "'\n", figure_axis_words(p->y));
    fputs(p->plot->log_y ? "set logscale y\n" : "set yrange [0:*]\n", p->to);
    bool thousands = p->most >= 10000 && (!p->plot->log_y || p->least >= 1);
    fprintf(p->to, "set format y '%s'\n", thousands ? "%.0s%c" : "%g");
    tics_write(p);
    const char *before = "plot ";
    for (unsigned l = 0; l < p->lines; l++) {
        text title;
        if (!there[l]) continue;
        const char *tint = colour[l % COLOURS];
        fprintf(p->to,
                "%s$line%u using 1:2:3:4 with yerrorbars pt %d ps 0.6 lw 1 lc rgb '%s' notitle, "
                "$line%u using 1:2 with linespoints pt %d ps 0.6 lw 1.8 lc rgb '%s' title \"%s\"",
                before, l, mark[l % COLOURS], tint, l, mark[l % COLOURS], tint,
                line_title(p, l, title));
        before = ", \\\n ";
    }
    fputs("\n", p->to);
    return any;
}

/* ---- bars -------------------------------------------------------------------------------------- */

struct bar {
    char label[2 * TEXT_MAX + 4];
    struct summary height;
    unsigned line;
};

static unsigned bars_take(const struct picture *p, struct bar bars[BARS_MAX])
{
    struct cell x[DISTINCT_MAX];
    unsigned count = 0, places = table_distinct(p->table, p->plot->x, x, "%s", p->plot->where);
    for (unsigned i = 0; i < places; i++)
        for (unsigned l = 0; l < p->lines && count < BARS_MAX; l++) {
            char where[320], value[CELL_TEXT_MAX];
            text words, title;
            line_where(p, l, where);
            if (!strcmp(p->x->unit, "text"))
                snprintf(value, sizeof value, "%s", x[i].text);
            else
                snprintf(value, sizeof value, "%.10g", x[i].number);
            struct sample y =
                table_sample(p->table, p->plot->y, "%s %s=%s", where, p->plot->x, value);
            if (y.count == 0) continue;
            line_title(p, l, title);
            snprintf(bars[count].label, sizeof bars[count].label, *title ? "%s, %s" : "%s",
                     cell_words(words, p->x, &x[i]), title);
            bars[count].line = l;
            bars[count++].height = summarise(&y);
        }
    return count;
}

/* Returns a step for about four round tics up to the longest bar. */
static double tic_step(double most)
{
    static const double round_step[] = {1, 2, 2.5, 5, 10};
    if (!(most > 0)) return 1;
    double power = pow(10, floor(log10(most / 4)));
    unsigned i = 0;
    while (i < 4 && round_step[i] * power < most / 4)
        i++;
    return round_step[i] * power;
}

static bool bars_write(struct picture *p, const char *path)
{
    static struct bar bars[BARS_MAX];
    unsigned count = bars_take(p, bars);
    double most = 0;
    size_t widest = 7; /* gnuplot assumes narrow characters: short words would be cut off */
    head_write(p, path, FRAME + BAR_HEIGHT * (int)count);
    for (unsigned i = 0; i < count; i++) {
        most = fmax(most, bars[i].height.most);
        if (strlen(bars[i].label) > widest) widest = strlen(bars[i].label);
    }
    fprintf(p->to,
            "unset key\nset grid noy\nset xrange [0:%.6g]\nset yrange [0.4:%.1f]\nset lmargin %zu\n"
            "set rmargin 2\nset xlabel \"%s\" textcolor rgb '" INK "'\nset xtics %.6g\n"
            "set format x '%s'\nset ytics (",
            most > 0 ? most * 1.25 : 1, count + 0.6, widest + 1, figure_axis_words(p->y),
            tic_step(most), most >= 10000 ? "%.0s%c" : "%g");
    for (unsigned i = 0; i < count; i++)
        fprintf(p->to, "%s\"%s\" %u", i ? ", " : "", bars[i].label, count - i);
    fputs(")\n$bars << EOD\n", p->to);
    for (unsigned i = 0; i < count; i++) {
        text value;
        const struct summary *s = &bars[i].height;
        fprintf(p->to, "%.10g %u %.10g %.10g %lu \" %s\"\n", s->median, count - i, s->least,
                s->most, strtoul(colour[bars[i].line % COLOURS] + 1, NULL, 16),
                text_figure(value, s->median, p->y->unit));
    }
    fputs("EOD\nplot $bars using (0):2:(0):1:($2-0.36):($2+0.36):5 with boxxyerror lc rgb variable "
          "fs solid 1 noborder, $bars using 1:2:3:4 with xerrorbars pt 0 lw 1.2 lc rgb '" INK "', "
          "$bars using 4:2:6 with labels left offset 0.3,0 font ',12' tc rgb '" INK "'\n",
          p->to);
    return count > 0;
}

/* ---- gnuplot, and colours ---------------------------------------------------------------------- */

static void replaced_write(FILE *to, const char *from)
{
    static const char *const rule[][2] = {
        {"rgb(  1,   2,   3)", "currentColor"},
        {"rgb(1,2,3)", "currentColor"},
        {INK, "currentColor"},
        {"color='white'", "visibility='hidden'"}, /* behind marks */
        {" color=\"white\"", ""},
        {" color=\"black\"", ""},
        {"stroke='black'", "stroke='currentColor'"},
        {"stroke=\"black\"", "stroke=\"currentColor\""}};
    enum { RULES = sizeof rule / sizeof *rule };
    while (*from) {
        unsigned r = 0;
        while (r < RULES && strncmp(from, rule[r][0], strlen(rule[r][0])) != 0)
            r++;
        if (r == RULES) {
            fputc(*from++, to);
            continue;
        }
        fputs(rule[r][1], to);
        from += strlen(rule[r][0]);
    }
}

/* Puts the style behind the opening tag, and replaces the colour of ink by the reader's. */
static int scheme_follow(const char *path)
{
    static const char style[] =
        "<style>svg{color:#23201b}@media (prefers-color-scheme:dark){svg{color:#e8e3d8}}"
        "text{font-family:'DejaVu Sans',Verdana,Helvetica,sans-serif}</style>";
    enum { MOST = 8 << 20 };
    FILE *file = fopen(path, "re");
    if (!file) return -errno;
    char *whole = calloc(1, MOST);
    size_t length = whole ? fread(whole, 1, MOST - 1, file) : 0;
    fclose(file);
    char *tag = length ? strstr(whole, "<svg") : NULL, *end = tag ? strchr(tag, '>') : NULL;
    file = end ? fopen(path, "we") : NULL;
    if (file) {
        fwrite(whole, 1, (size_t)(end + 1 - whole), file);
        fputs(style, file);
        replaced_write(file, end + 1);
        fclose(file);
    }
    free(whole);
    return file ? 0 : -EIO;
}

int draw(const struct plot *plot, const struct table *table, const char *path)
{
    int x = table_column(table, plot->x), y = table_column(table, plot->y);
    if (x < 0 || y < 0) return -EINVAL;
    char *script = NULL;
    size_t length = 0;
    static struct picture p;
    p = (struct picture){.plot = plot,
                         .table = table,
                         .x = table->column[x],
                         .y = table->column[y],
                         .lines = 1,
                         .least = INFINITY,
                         .to = open_memstream(&script, &length)};
    if (!p.to) return -ENOMEM;
    if (plot->series) p.lines = table_distinct(table, plot->series, p.series, "%s", plot->where);
    bool any = plot->bars ? bars_write(&p, path) : lines_write(&p, path);
    fclose(p.to);
    FILE *gnuplot = any ? popen("gnuplot 2>/dev/null", "we") : NULL;
    if (gnuplot) fwrite(script, 1, length, gnuplot);
    free(script);
    if (!any) return 0;
    if (!gnuplot) return -errno;
    int status = pclose(gnuplot);
    if (status != 0) return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -ENOENT : -EIO;
    int result = scheme_follow(path);
    return result < 0 ? result : 1;
}
