/* watch.c - runs of this or of another machine, followed by what they write into their folders. */
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/watch_show.h"
#include "core/base/one_line.h"
#include "io/file/folder.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct watch {
    double interval_s;
    bool once;
    struct pool pool;
    struct watch_run *run; /* [n] */
    int n;
};

static volatile sig_atomic_t interrupted;

static void note_signal(int signal) {
    interrupted = signal != SIGWINCH || interrupted;
}

/* --- which runs --- */

/*   parts  of the path, from its end, that name the run */
static void add_run(struct watch *w, const char *folder, int parts) {
    char *path = pool_copy(&w->pool, folder, strlen(folder));
    size_t len = strlen(path);

    for (; len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = 0;
    for (; len && (path[len - 1] != '/' || --parts > 0); len--) {
    }
    const char *name = path[len] ? path + len : path;
    w->run = pool_grow(&w->pool, w->run, w->n, sizeof *w->run);
    w->run[w->n++] = (struct watch_run){.folder = path,
                                        .name = one_line(pool_copy(&w->pool, name, strlen(name))),
                                        .job_changed = -1};
}

static bool has(struct watch *w, const char *folder, const char *file) {
    return !access(pool_print(&w->pool, "%s/%s", folder, file), F_OK);
}

static bool is_sweep(struct watch *w, const char *folder) {
    return has(w, folder, "sweep.json");
}

static bool is_run(struct watch *w, const char *folder) {
    return !is_sweep(w, folder) &&
           (has(w, folder, "job.ini") || has(w, folder, "metrics.jsonl") || has(w, folder, "lock"));
}

/* The runs in a folder, and the trials of the sweeps in it. */
static int add_inside(struct watch *w, const char *path, int parts, struct err *err) {
    struct folder inside = {0};
    int rc = folder_init(&inside, path, err);

    for (int i = 0; !rc && i < inside.n; i++) {
        const char *each = pool_print(&w->pool, "%s/%s", path, inside.entry[i].name);
        if (!inside.entry[i].folder)
            continue;
        if (is_run(w, each))
            add_run(w, each, parts);
        else if (parts == 1 && is_sweep(w, each)) /* none within another, as links might say */
            rc = add_inside(w, each, parts + 1, err);
    }
    folder_release(&inside);
    return rc;
}

/* A run, or a folder of runs, as a sweep is. */
static int add_runs(struct watch *w, const char *path, bool among_others, struct err *err) {
    const int before = w->n;
    struct stat st;

    if (is_run(w, path)) {
        add_run(w, path, 1);
        return 0;
    }
    if (stat(path, &st))
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode) && add_inside(w, path, 1, err))
        return -1;
    return w->n > before || among_others
               ? 0
               : err_set(err, ERR_IO,
                         "%s: found no run in it, expected the folder of a run, or one of runs",
                         path);
}

static int find_runs(struct watch *w, int n, char **paths, struct err *err) {
    for (int i = 0; i < n; i++)
        if (add_runs(w, paths[i], n > 1, err)) /* of runs and whatever else is beside them */
            return -1;
    return w->n ? 0 : err_set(err, ERR_IO, "watch: none of these %d is the folder of a run", n);
}

/* --- looking --- */

static bool look(struct watch *w) {
    bool over = true;

    for (int i = 0; i < w->n; i++) {
        watch_run_look(&w->run[i]);
        over = over && watch_run_is_over(&w->run[i]);
    }
    return over;
}

static void show(const struct watch *w, const struct watch_page *page) {
    if (w->n == 1)
        watch_show_run(page, &w->run[0]);
    else
        watch_show_runs(page, w->run, w->n);
}

/* Over the picture before: every line to its end, then what is below. Source: ECMA-48, CUP, EL, ED.
 */
static void redraw(const struct watch *w, struct watch_page page) {
    char *text = NULL;
    size_t len = 0;

    screen_size(STDOUT_FILENO, &page.columns, &page.rows);
    page.out = open_memstream(&text, &len);
    if (!page.out)
        return; /* there will be another */
    show(w, &page);
    fclose(page.out);
    int row = 1;
    fputs("\033[H", stdout);
    for (const char *at = text; at && *at && row < page.rows; row++) {
        const size_t end = strcspn(at, "\n");
        printf("%.*s\033[K\n", (int)end, at);
        at += end + (at[end] == '\n');
    }
    printf("\033[J%sq ends%s", screen_ink(&page.screen, INK_DIM), screen_plain(&page.screen));
    fflush(stdout);
    free(text);
}

/* Wait; true: the user has had enough. keys: where to read what is pressed, -1: nowhere. */
static bool wait_for_key(double seconds, int *keys) {
    struct pollfd input = {.fd = *keys, .events = POLLIN};
    char key = 0;

    if (poll(&input, 1, (int)(1000 * seconds)) <= 0 || !input.revents)
        return interrupted;
    if (read(*keys, &key, 1) <= 0)
        *keys = -1;
    return interrupted || key == 'q' || key == 'Q';
}

static void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct sigaction action = {.sa_handler = note_signal};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}

/* On the terminal's other screen, without keys being printed or lines broken, until the runs are
 * over. Source: xterm's control sequences, ?1049, ?25, ?7. */
static void follow(struct watch *w, const struct watch_page *page) {
    struct termios before, raw;
    int keys = tcgetattr(STDIN_FILENO, &before) ? -1 : STDIN_FILENO;

    catch_signals();
    if (keys >= 0) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* Ctrl-Z would leave the other screen to the shell */
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    const int terminal = keys;
    fputs("\033[?1049h\033[?25l\033[?7l", stdout);
    for (bool over = look(w);; over = look(w)) {
        redraw(w, *page);
        if (over || wait_for_key(w->interval_s, &keys))
            break;
    }
    fputs("\033[?7h\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    if (terminal >= 0)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static int read_interval(void *to, const char *value, struct err *err) {
    struct watch *w = to;
    char *end;
    const double number = strtod(value, &end);
    const double unit = !*end || !strcmp(end, "s") ? 1 : !strcmp(end, "min") ? 60 : 0;

    w->interval_s = number * unit;
    return end > value && w->interval_s >= 0.1 && w->interval_s <= 3600
               ? 0
               : err_set(err, ERR_USAGE,
                         "--interval: found '%s', expected a time from 0.1s to 60min, as in 2s",
                         value);
}

static int run(int argc, char **argv, struct err *err) {
    static const struct option_spec options[] = {
        {"interval", OPTION_READ, .read = read_interval},
        {"once", OPTION_FLAG, .offset = offsetof(struct watch, once)},
        {0}};
    struct watch_page page = {.out = stdout, .screen = screen_of(STDOUT_FILENO)};
    struct watch w = {.interval_s = 2};
    int rc = options_read(&w, options, "watch", argc, argv, err);

    if (rc == argc)
        rc = err_set(err, ERR_USAGE,
                     "watch: found no run, expected one or more, as in dltrain "
                     "watch runs/NAME");
    if (rc > 0)
        rc = find_runs(&w, argc - rc, argv + rc, err);
    if (!rc) {
        if (page.screen.moves && !w.once)
            follow(&w, &page);
        else
            look(&w);
        screen_size(STDOUT_FILENO, &page.columns, &(int){0});
        show(&w, &page); /* what stays */
    }
    for (int i = 0; i < w.n; i++)
        watch_run_release(&w.run[i]);
    pool_release(&w.pool);
    return rc;
}

const struct command command_watch = {
    .name = "watch",
    .summary = "follow runs as they go: how far, curves, best so far, time left",
    .usage =
        "dltrain watch RUN... [--interval 2s] [--once]\n"
        "\n"
        "  RUN             a run's folder, also one that a run of another machine writes into;\n"
        "                  or a folder of runs, or a sweep\n"
        "  --interval 2s   how often to look (0.1s to 60min)\n"
        "  --once          print what there is and end; so does whatever is no terminal\n"
        "\n"
        "One run is shown with curves of its losses and measures, several with a line each.\n"
        "Ends when they do, or by q or Ctrl-C; the runs do not notice. A run of another host\n"
        "is stale when its log has been silent for long.\n"
        "\n"
        "  dltrain watch runs/quickstart\n"
        "  dltrain watch runs\n"
        "  dltrain watch runs/lr_* --interval 10s\n",
    .alone = true,
    .run = run,
};
