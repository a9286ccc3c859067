/*
 * The lines of text that show an interval, for a terminal of a given size or for a script.
 */
#ifndef ZCSERVE_VIEW_H
#define ZCSERVE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/interval.h"

#define VIEW_LINES_MAX 8300 /* the most workers, and the lines above them */
#define VIEW_LINE_MAX 512   /* bytes                                      */
#define VIEW_COLUMNS_MIN 80
#define VIEW_ROWS_MIN 24
#define VIEW_ALL UINT32_MAX /* no worker in particular */

enum view_sort {
    VIEW_BY_INDEX,
    VIEW_BY_REQUESTS,
    VIEW_BY_P99,
    VIEW_BY_CPU,
    VIEW_BY_STALL,
    VIEW_SORTS
};
enum view_tone { TONE_PLAIN, TONE_TITLE, TONE_HEAD, TONE_CHOSEN, TONE_ALARM };

struct view_line {
    enum view_tone tone;
    uint16_t bar_at; /* the byte at which a bar begins; 0: there is no bar */
    char text[VIEW_LINE_MAX];
};

struct view {
    int columns, rows; /* the size; rows 0: as many as there are lines */
    struct view_line *line;
    uint32_t lines, lines_max;
};

struct view_wishes {
    uint32_t chosen; /* `index` of a worker, or VIEW_ALL */
    enum view_sort sort;
    bool paused;
    double delay_seconds;
    const char *message; /* shown in the last line instead of the keys; NULL: none */
};

/* Makes room for a view of this size. Lines are cut to `columns`. Returns false without memory. */
bool view_open(struct view *view, int columns, int rows);
void view_close(struct view *view);

/* Each replaces the lines of the view. */
void view_draw(struct view *view, const struct snapshot *server, const struct interval *interval,
               const struct view_wishes *wishes);
void view_draw_help(struct view *view);

/*
 * Returns the worker that is `steps` below the chosen one in the order shown. VIEW_ALL is above the
 * first and below the last.
 */
uint32_t view_step(const struct interval *interval, const struct view_wishes *wishes, int steps);

const char *view_sort_name(enum view_sort sort);

#endif
