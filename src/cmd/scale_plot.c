#include "cmd/scale.h"
#include "report/plot.h"

#include <stdio.h>

enum { WIDTH = 1000, TEXT = 256 };

/* What a picture shows of each row. */
struct curves {
    double ranks[SCALE_MAX_ROWS], ideal[SCALE_MAX_ROWS], speedup[SCALE_MAX_ROWS];
    double efficiency[SCALE_MAX_ROWS], exposed[SCALE_MAX_ROWS];
};

static void fill(const struct scale *s, struct curves *c) {
    for (int i = 0; i < s->want.n_ranks; i++) {
        const struct scale_row *r = &s->rows[i];
        c->ranks[i] = c->ideal[i] = (double)r->ranks;
        c->speedup[i] = r->speedup;
        c->efficiency[i] = 100 * r->efficiency;
        c->exposed[i] = 100 * r->exposed_s / r->step_s;
    }
}

int scale_plot(const struct scale *s, struct err *err) {
    const struct scale_setting *g = &s->setting;
    struct curves c;
    char title[TEXT], subtitle[TEXT];

    fill(s, &c);
    snprintf(title, TEXT, "%s on up to %lld ranks", s->profile.model,
             (long long)s->want.ranks[s->want.n_ranks - 1]);
    snprintf(subtitle, TEXT, "%s of %lld, %lld ranks a host, links of %.4g Gbit/s and %.3g us",
             g->weak ? "batch of a rank" : "batch", (long long)g->batch,
             (long long)g->cluster.per_host, 8e-9 * g->cluster.bytes_per_s,
             1e6 * g->cluster.latency_s);
    const struct plot plot = {
        .title = title,
        .subtitle = subtitle,
        .x_label = "ranks",
        .x = c.ranks,
        .n = s->want.n_ranks,
        .panel = {{.y_label = "speedup over one rank",
                   .curve = {{"ideal", c.ideal, PLOT_GREY, .dashed = true},
                             {"predicted", c.speedup, PLOT_BLUE, .marked = true}},
                   .n_curves = 2,
                   .log = true},
                  {.y_label = "efficiency, and share of a step",
                   .curve = {{"efficiency", c.efficiency, PLOT_BLUE, .marked = true},
                             {"exposed communication", c.exposed, PLOT_ORANGE, .marked = true}},
                   .n_curves = 2,
                   .max_y = 100,
                   .unit = "%"}},
        .n_panels = 2,
        .width = s->want.plot_width ? (int)s->want.plot_width : WIDTH};
    return plot_write(&plot, s->want.plot, err);
}
