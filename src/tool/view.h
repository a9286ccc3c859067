/*
 * "What is shown of an interval?" Lines of text for a terminal of a given size, or for a script; no terminal is
 * touched here.
 */
#ifndef ZCSERVE_VIEW_H
#define ZCSERVE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "tool/interval.h"

#define VIEW_LINES_MAX 8300 /* as many workers as there can be, and what stands above them */
#define VIEW_LINE_MAX 512   /* bytes */
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
    uint16_t bar_at; /* byte from which on the line is a bar; 0: nowhere */
    char text[VIEW_LINE_MAX];
};

struct view {
    int columns, rows; /* wished for; rows 0: as many as there are */
    struct view_line *line;
    uint32_t lines, lines_max;
};

struct view_wishes {
    uint32_t chosen; /* `index` of a worker, or VIEW_ALL */
    enum view_sort sort;
    bool paused;
    double delay_seconds;
    const char *message; /* instead of the keys in the last line; NULL: none */
};

/* Room for a view of this size; false without memory. Lines are cut to `columns`. */
bool view_open(struct view *view, int columns, int rows);
void view_close(struct view *view);

/* Draws; what was there before is gone. */
void view_draw(struct view *view, const struct snapshot *server, const struct interval *interval,
               const struct view_wishes *wishes);
void view_draw_help(struct view *view);

/* The worker that is `steps` below `chosen` in the order shown; above the first and below the last is VIEW_ALL. */
uint32_t view_step(const struct interval *interval, const struct view_wishes *wishes, int steps);

const char *view_sort_name(enum view_sort sort);

#endif
