#include "cmd/bench.h"

#include <stdio.h>
#include <string.h>

/* A line holds name, word and output, then times, FLOP rates, shares of the peak and byte rates of
 * the three phases. */
enum { LINE = 120, MS = 8, GFLOPS = 6, SHARE = 4, GB = 5 };

struct widths {
    int name, word, shape;
};

static int longer(int width, const char *text) {
    return (int)strlen(text) > width ? (int)strlen(text) : width;
}

/* "32x32x16" of one sample; "1" for a number. */
static const char *sample_text(const struct shape *y, char *text) {
    struct shape sample = {.rank = y->rank - 1};

    memcpy(sample.dim, y->dim + 1, (size_t)sample.rank * sizeof *sample.dim);
    return sample.rank ? shape_text(&sample, text) : strcpy(text, "1");
}

static struct widths widths_of(const struct bench_graph *g) {
    struct widths w = {.word = 8, .shape = 6};
    char text[SHAPE_TEXT];

    for (int i = 0; i < g->n_rows; i++) {
        w.word = longer(w.word, g->rows[i].word);
        w.shape = longer(w.shape, sample_text(g->rows[i].y, text));
    }
    w.name = LINE - BENCH_PHASES * (MS + GFLOPS + SHARE + GB) - w.word - w.shape - 2;
    w.name = w.name < 8 ? 8 : w.name;
    return w;
}

/* The end of a name tells more than its beginning. */
static void print_name(const char *name, int width) {
    const int len = (int)strlen(name);

    if (len > width)
        printf("~%s", name + len - width + 1);
    else
        printf("%-*s", width, name);
}

/* With as many decimals as leave a blank before it. */
static void print_cell(int width, int decimals, bool known, double value) {
    double most = 1;

    for (int i = 2 + decimals + (decimals > 0); i <= width; i++)
        most *= 10;
    if (known)
        printf("%*.*f", width, value < most - 1 ? decimals : 0, value);
    else
        printf("%*s", width, "-");
}

static void print_figures(const struct bench_figures *f, const struct bench_machine *m) {
    for (int k = 0; k < BENCH_PHASES; k++)
        print_cell(MS, 3, f->bytes[k] > 0, 1e3 * f->seconds[k]);
    for (int k = 0; k < BENCH_PHASES; k++)
        print_cell(GFLOPS, 1, f->flops[k] > 0, bench_rate(f->flops[k], f->seconds[k]) / 1e9);
    for (int k = 0; k < BENCH_PHASES; k++)
        print_cell(SHARE, 0, f->flops[k] > 0,
                   100 * bench_rate(f->flops[k], f->seconds[k]) / (1e9 * m->gflops));
    for (int k = 0; k < BENCH_PHASES; k++)
        print_cell(GB, 1, f->bytes[k] > 0, bench_rate(f->bytes[k], f->seconds[k]) / 1e9);
    printf("\n");
}

static void print_head(const struct widths *w) {
    static const struct {
        const char *unit, *phase[BENCH_PHASES];
        int width;
    } columns[] = {
        {"milliseconds", {"forward", "data", "weights"}, MS},
        {"GFLOP/s", {"fwd", "data", "wgts"}, GFLOPS},
        {"% of peak", {"fwd", "dat", "wgt"}, SHARE},
        {"GB/s", {"fwd", "data", "wgts"}, GB},
    };
    enum { N_COLUMNS = sizeof columns / sizeof *columns };

    printf("%*s", w->name + w->word + w->shape + 2, "");
    for (int i = 0; i < N_COLUMNS; i++)
        printf("%*s", BENCH_PHASES * columns[i].width, columns[i].unit);
    printf("\n%-*s %-*s %-*s", w->name, "name", w->word, "operator", w->shape, "output");
    for (int i = 0; i < N_COLUMNS; i++)
        for (int k = 0; k < BENCH_PHASES; k++)
            printf("%*s", columns[i].width, columns[i].phase[k]);
    printf("\n");
}

/* One line for each kind of operator, in the order of the first of each. */
static void print_kinds(const struct bench_graph *g, const struct widths *w,
                        const struct bench_machine *m) {
    char text[64];

    for (int i = 0; i < g->n_rows; i++) {
        struct bench_figures sum = {0};
        int n = 0, first = i;

        for (int k = 0; k < g->n_rows; k++) {
            if (strcmp(g->rows[k].word, g->rows[i].word))
                continue;
            first = k < first ? k : first;
            bench_add(&sum, &g->rows[k].figures);
            n++;
        }
        if (first < i)
            continue;
        snprintf(text, sizeof text, "%d x", n);
        printf("%*s %-*s %-*s", w->name, text, w->word, g->rows[i].word, w->shape, "");
        print_figures(&sum, m);
    }
}

static void print_total(const char *name, const struct bench_graph *g, bool conv_only,
                        const struct widths *w, const struct bench_machine *m) {
    struct bench_figures sum = {0};
    bool any = false;

    for (int i = 0; i < g->n_rows; i++)
        if (!conv_only || g->rows[i].is_conv) {
            bench_add(&sum, &g->rows[i].figures);
            any = true;
        }
    if (!any)
        return;
    printf("%-*s ", w->name + w->word + w->shape + 1, name);
    print_figures(&sum, m);
}

static void print_graph(const struct bench_graph *g, const struct bench_machine *m) {
    const struct widths w = widths_of(g);
    char text[SHAPE_TEXT];

    printf("[%s]: medians of %d steps\n", g->name, g->n_timed);
    if (!g->n_timed)
        return;
    print_head(&w);
    for (int i = 0; i < g->n_rows; i++) {
        const struct bench_row *row = &g->rows[i];
        print_name(row->path, w.name);
        printf(" %-*s %-*s", w.word, row->word, w.shape, sample_text(row->y, text));
        print_figures(&row->figures, m);
    }
    printf("\n");
    print_kinds(g, &w, m);
    printf("\n");
    print_total("all convolutions", g, true, &w, m);
    print_total("all operators", g, false, &w, m);
    printf("\n");
}

static double total_seconds(const struct bench_graph *g) {
    double seconds = 0;

    for (int i = 0; i < g->n_rows; i++)
        for (int k = 0; k < BENCH_PHASES; k++)
            seconds += g->rows[i].figures.seconds[k];
    return seconds;
}

void bench_print_table(const struct bench_report *r) {
    double operators = 0;

    for (int g = 0; g < r->layers->n_graphs; g++) {
        const struct bench_graph *graph = &r->layers->graph[g];
        print_graph(graph, &r->machine);
        /* Steps that rest in between count as often as they ran. */
        operators += total_seconds(graph) * graph->n_timed / r->n_steps;
    }
    printf("rank 0 of %d: %lld samples of %lld, peak %.1f GFLOP/s (%d x %.1f), memory %.1f GB/s\n",
           comm_size(r->args->comm), (long long)r->layers->n_samples, (long long)r->args->job.batch,
           r->machine.gflops, r->threads, r->machine.gflops / r->threads, r->machine.gb_per_s);
    printf("step %.3f ms: operators %.3f, communication %.3f, optimiser %.3f\n",
           1e3 * r->times.total, 1e3 * operators, 1e3 * r->times.exposed_comm,
           1e3 * r->times.optimizer);
}
