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
    char **paths;          /* [n_paths] as they were given */
    struct watch_run *run; /* [n] */
    int n_paths, n;
    bool grows; /* a sweep is among them */
    bool was_over;
};

static volatile sig_atomic_t interrupted;

static void note_signal(int signal) {
    interrupted = signal != SIGWINCH || interrupted;
}

/* --- which runs --- */

static bool has(struct pool *pool, const char *folder, const char *file) {
    return !access(pool_print(pool, "%s/%s", folder, file), F_OK);
}

/* It has a job, too, but trains in folders of its own, one after the other. */
static bool is_sweep(struct pool *pool, const char *folder) {
    return has(pool, folder, "sweep.json");
}

static bool is_run(struct pool *pool, const char *folder) {
    return !is_sweep(pool, folder) &&
           (has(pool, folder, "job.ini") || has(pool, folder, "metrics.jsonl") ||
            has(pool, folder, "lock"));
}

/* Unless it is there already. name: its end, what the run is called. */
static void add_run(struct watch *w, const char *folder, const char *name) {
    for (int i = 0; i < w->n; i++)
        if (!strcmp(w->run[i].folder, folder))
            return;
    w->run = pool_grow(&w->pool, w->run, w->n, sizeof *w->run);
    w->run[w->n++] = (struct watch_run){.folder = pool_copy(&w->pool, folder, strlen(folder)),
                                        .name = one_line(pool_copy(&w->pool, name, strlen(name))),
                                        .job_changed = -1};
}

/* The runs in a folder, and the trials of sweeps in it. above: of a path, what names
 * leave out. A sweep has none within it, whatever links say. */
static int add_inside(struct watch *w, struct pool *pool, const char *path, size_t above,
                      struct err *err) {
    struct folder inside = {0};
    int rc = folder_init(&inside, path, err);

    w->grows = w->grows || is_sweep(pool, path);
    for (int i = 0; i < inside.n && !rc; i++) {
        const char *each = pool_print(pool, "%s/%s", path, inside.entry[i].name);
        if (inside.entry[i].folder && is_run(pool, each))
            add_run(w, each, each + above);
        else if (inside.entry[i].folder && above == strlen(path) + 1 && is_sweep(pool, each))
            rc = add_inside(w, pool, each, above, err);
    }
    folder_release(&inside);
    return rc;
}

/* A run, a sweep, or a folder of both. */
static int add_runs(struct watch *w, struct pool *pool, const char *as_given, bool among_others,
                    struct err *err) {
    char *path = pool_copy(pool, as_given, strlen(as_given));
    const int before = w->n;
    struct stat st;

    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = 0;
    if (is_run(pool, path)) {
        const char *slash = strrchr(path, '/');
        add_run(w, path, slash && slash[1] ? slash + 1 : path);
        return 0;
    }
    if (stat(path, &st))
        return err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode) && add_inside(w, pool, path, strlen(path) + 1, err))
        return -1;
    if (w->n > before || among_others)
        return 0;
    return is_sweep(pool, path)
               ? err_set(err, ERR_IO, "%s: is a sweep none of whose trials has begun", path)
               : err_set(err, ERR_IO,
                         "%s: found no run in it, expected the folder of a run, or one of runs",
                         path);
}

static int find_runs(struct watch *w, struct err *err) {
    struct pool pool = {0};
    int rc = 0;

    for (int i = 0; i < w->n_paths && !rc; i++)
        rc = add_runs(w, &pool, w->paths[i], w->n_paths > 1, err);
    pool_release(&pool);
    if (rc || w->n)
        return rc;
    return err_set(err, ERR_IO, "watch: none of these %d is the folder of a run", w->n_paths);
}

/* --- looking --- */

/* Returns whether all are over: where a next trial may begin, for the second time. */
static bool look(struct watch *w) {
    struct err ignored = {0}; /* what has gone meanwhile shows in its line */
    bool over = true;

    (void)find_runs(w, &ignored);
    for (int i = 0; i < w->n; i++) {
        watch_run_look(&w->run[i]);
        over = over && watch_run_is_over(&w->run[i]);
    }
    const bool still = w->was_over;
    w->was_over = over;
    return over && (still || !w->grows);
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
    if (rc > 0) {
        w.paths = argv + rc;
        w.n_paths = argc - rc;
        rc = find_runs(&w, err);
    }
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
        "                  or a folder of runs, as that of a sweep\n"
        "  --interval 2s   how often to look (0.1s to 60min)\n"
        "  --once          print what there is and end; so does whatever is no terminal\n"
        "\n"
        "One run is shown with curves of its losses and measures, several with a line each.\n"
        "Ends when they do, or by q or Ctrl-C; the runs do not notice. A run of another host\n"
        "is stale when its log has been silent for long.\n"
        "\n"
        "  dltrain watch runs/quickstart\n"
        "  dltrain watch runs\n"
        "  dltrain watch runs/quickstart_sweep\n"
        "  dltrain watch runs/lr_* --interval 10s\n",
    .alone = true,
    .run = run,
};
