/*
 * zcserve top: it takes a reading at every interval, subtracts the one before, and shows the lines
 * of view.c on the terminal with ncurses. --once prints the same lines and needs no terminal. When
 * the server ends, top shows that in its last line and keeps trying.
 */
#include "tool/tool.h"

#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool/format.h"
#include "tool/terminal.h"
#include "tool/view.h"
#include "zcserve/now.h"

#define ONCE_COLUMNS 100
#define CTRL_L 12    /* draws everything again, after another program wrote on the terminal */
#define ESCAPE_MS 50 /* how long ncurses waits for the rest of an arrow key                 */

enum { PAIR_TITLE = 1, PAIR_HEAD, PAIR_BAR, PAIR_ALARM };

struct top {
    const struct tool_options *options;
    struct snapshot before, now;
    struct interval interval;
    struct view_wishes wishes;
    char problem[TOOL_PROBLEM_MAX]; /* empty: none */
    bool help, ends, coloured;
    double due; /* when the next reading is due, in seconds of the monotonic clock */
};

static volatile sig_atomic_t told_to_end;

static void end_note(int number)
{
    told_to_end = number;
}

static double now_seconds(void)
{
    return (double)now_monotonic_ns() / NS_PER_SECOND;
}

/* ---- readings -------------------------------------------------------------------------------- */

/*
 * When two readings cannot be compared (the server was started again between them), the interval
 * before stays on the screen, with the reason in the last line. The next interval begins with the
 * new reading.
 */
static void interval_make(struct top *top)
{
    struct interval next;
    if (interval_between(&next, &top->before, &top->now, top->problem) != 0) return;
    interval_free(&top->interval);
    top->interval = next;
    top->problem[0] = '\0';
}

static void reading_advance(struct top *top)
{
    struct snapshot next;
    if (snapshot_take(top->options->address, &next, top->problem) != 0) return;
    snapshot_free(&top->before);
    top->before = top->now;
    top->now = next;
    interval_make(top);
}

static void pause_for(double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
}

static void top_close(struct top *top)
{
    interval_free(&top->interval);
    snapshot_free(&top->before);
    snapshot_free(&top->now);
}

static int top_failed(struct top *top, const char *problem)
{
    fprintf(stderr, "zcserve top: %s\n", problem);
    top_close(top);
    return TOOL_FAILED;
}

/* ---- plain text ------------------------------------------------------------------------------ */

static int once_run(struct top *top)
{
    struct view view;
    signal(SIGXFSZ, SIG_IGN); /* a full file is an ordinary error */
    pause_for(top->options->delay_seconds);
    reading_advance(top);
    if (top->problem[0]) return top_failed(top, top->problem);
    if (!view_open(&view, ONCE_COLUMNS, 0)) return top_failed(top, "not enough memory");
    view_draw(&view, &top->now, &top->interval, &top->wishes);
    for (uint32_t i = 0; i < view.lines; i++)
        printf("%s\n", view.line[i].text);
    view_close(&view);
    top_close(top);
    if (fflush(stdout) == 0) return TOOL_DONE;
    fputs("zcserve top: the output cannot be written\n", stderr);
    return TOOL_FAILED;
}

/* ---- the screen ------------------------------------------------------------------------------ */

static int attributes_of(const struct top *top, enum view_tone tone)
{
    switch (tone) {
    case TONE_TITLE: return A_BOLD | (top->coloured ? COLOR_PAIR(PAIR_TITLE) : A_REVERSE);
    case TONE_HEAD: return A_BOLD | (top->coloured ? COLOR_PAIR(PAIR_HEAD) : 0);
    case TONE_CHOSEN: return A_REVERSE;
    case TONE_ALARM: return A_BOLD | (top->coloured ? COLOR_PAIR(PAIR_ALARM) : A_REVERSE);
    case TONE_PLAIN: break;
    }
    return A_NORMAL;
}

static void line_show(const struct top *top, int row, const struct view_line *line)
{
    int whole = line->bar_at ? line->bar_at : -1;
    attrset(attributes_of(top, line->tone));
    mvaddnstr(row, 0, line->text, whole);
    if (line->bar_at) {
        attrset(top->coloured ? COLOR_PAIR(PAIR_BAR) : A_NORMAL);
        addstr(line->text + line->bar_at);
    }
    attrset(A_NORMAL);
}

static void screen_show(struct top *top)
{
    struct view view;
    erase();
    if (COLS < VIEW_COLUMNS_MIN || LINES < VIEW_ROWS_MIN) {
        mvprintw(0, 0, "%dx%d: zcserve top needs %dx%d", COLS, LINES, VIEW_COLUMNS_MIN,
                 VIEW_ROWS_MIN);
    } else if (view_open(&view, COLS, LINES)) {
        top->wishes.message = top->problem[0] ? top->problem : NULL;
        if (top->help)
            view_draw_help(&view);
        else
            view_draw(&view, &top->now, &top->interval, &top->wishes);
        for (uint32_t i = 0; i < view.lines; i++)
            line_show(top, (int)i, &view.line[i]);
        view_close(&view);
    }
    refresh();
}

static void colours_set(struct top *top)
{
    const char *without = getenv("NO_COLOR");
    top->coloured = has_colors() && !(without && *without);
    if (!top->coloured) return;
    start_color();
    bool transparent = use_default_colors() == OK;
    short ground = transparent ? -1 : COLOR_BLACK;
    init_pair(PAIR_TITLE, COLOR_WHITE, COLOR_BLUE);
    init_pair(PAIR_HEAD, COLOR_CYAN, ground);
    init_pair(PAIR_BAR, COLOR_GREEN, ground);
    init_pair(PAIR_ALARM, COLOR_WHITE, COLOR_RED);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void delay_change(struct top *top, double factor)
{
    double delay = top->wishes.delay_seconds * factor;
    if (delay < TOOL_DELAY_MIN || delay > TOOL_DELAY_MAX) return;
    top->wishes.delay_seconds = delay;
    top->due = now_seconds() + delay;
}

static void sort_change(struct top *top, int steps)
{
    top->wishes.sort = (enum view_sort)(((int)top->wishes.sort + VIEW_SORTS + steps) % VIEW_SORTS);
}

static void key_take(struct top *top, int key)
{
    bool was_help = top->help;
    top->help = false;
    switch (key) {
    case 'q':
    case 'Q': top->ends = true; break;
    case 'p':
    case ' ': top->wishes.paused = !top->wishes.paused; break;
    case KEY_DOWN:
    case '\t':
    case 'j': top->wishes.chosen = view_step(&top->interval, &top->wishes, 1); break;
    case KEY_UP:
    case KEY_BTAB:
    case 'k': top->wishes.chosen = view_step(&top->interval, &top->wishes, -1); break;
    case KEY_RIGHT:
    case 's': sort_change(top, 1); break;
    case KEY_LEFT: sort_change(top, -1); break;
    case '+': delay_change(top, 2); break;
    case '-': delay_change(top, 0.5); break;
    case '?':
    case 'h': top->help = !was_help; break;
    case CTRL_L: clearok(curscr, TRUE); break;
    case KEY_RESIZE: top->help = was_help; break;
    default: break;
    }
}

/* Waits for a key until the next reading is due. */
static void turn(struct top *top)
{
    double left = top->due - now_seconds();
    timeout(left > 0 ? (int)(left * 1000) + 1 : 0);
    int key = getch();
    if (told_to_end) top->ends = true;
    if (key != ERR) key_take(top, key);
    if (now_seconds() < top->due || top->ends) return;
    if (!top->wishes.paused) reading_advance(top);
    top->due = now_seconds() + top->wishes.delay_seconds;
}

/* Installs handlers before ncurses starts: it does not replace them. */
static void signals_take(void)
{
    struct sigaction end = {.sa_handler = end_note};
    sigemptyset(&end.sa_mask);
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGHUP, &end, NULL);
}

static int screen_run(struct top *top)
{
    signals_take();
    SCREEN *screen = terminal_is_known() ? newterm(NULL, stdout, stdin) : NULL;
    if (!screen)
        return top_failed(top, "this terminal (TERM) is not known; --once prints plain text");
    set_escdelay(ESCAPE_MS);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    colours_set(top);
    top->due = now_seconds(); /* the first interval is short: it began before ncurses */
    while (!top->ends) {
        turn(top);
        if (!top->ends) screen_show(top);
    }
    endwin();
    delscreen(screen);
    top_close(top);
    return TOOL_DONE;
}

int top_run(const struct tool_options *options)
{
    struct top top = {.options = options};
    top.wishes = (struct view_wishes){.chosen = VIEW_ALL, .delay_seconds = options->delay_seconds};
    if (!options->once && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        return top_failed(&top, "this is not a terminal; --once prints plain text");
    if (snapshot_take(options->address, &top.now, top.problem) != 0)
        return top_failed(&top, top.problem);
    if (options->once) return once_run(&top);
    pause_for(TOOL_DELAY_MIN);
    return screen_run(&top);
}
