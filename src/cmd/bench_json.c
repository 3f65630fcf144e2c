#include "cmd/bench.h"
#include "core/math/isa/isa.h"

#include <jansson.h>
#include <stdio.h>

static const char *const phases[BENCH_PHASES] = {"forward", "data", "weights"};

/* Each phase that is computed: milliseconds, FLOPs, bytes. */
static void set_figures(json_t *object, const struct bench_figures *f) {
    for (int k = 0; k < BENCH_PHASES; k++) {
        if (!(f->bytes[k] > 0))
            continue;
        json_object_set_new(object, phases[k],
                            json_pack("{s:f, s:f, s:f}", "ms", 1e3 * f->seconds[k], "flops",
                                      f->flops[k], "bytes", f->bytes[k]));
    }
}

static json_t *row_json(const struct bench_row *row) {
    json_t *object = json_object(), *output = json_array();

    for (int i = 0; i < row->y->rank; i++)
        json_array_append_new(output, json_integer(row->y->dim[i]));
    json_object_set_new(object, "name", json_string(row->path));
    json_object_set_new(object, "operator", json_string(row->word));
    json_object_set_new(object, "output", output);
    set_figures(object, &row->figures);
    return object;
}

static json_t *graph_json(const struct bench_graph *g) {
    json_t *object = json_object(), *rows = json_array();

    for (int i = 0; i < g->n_rows; i++)
        json_array_append_new(rows, row_json(&g->rows[i]));
    json_object_set_new(object, "name", json_string(g->name));
    json_object_set_new(object, "steps", json_integer(g->n_timed));
    json_object_set_new(object, "operators", rows);
    return object;
}

static json_t *total_json(const struct bench_layers *l, bool conv_only) {
    const struct bench_figures sum = bench_total(l, conv_only);
    json_t *object = json_object();

    set_figures(object, &sum);
    return object;
}

int bench_print_json(const struct bench_report *r, struct err *err) {
    const struct bench_spread exposed = bench_exposed(r->all, comm_size(r->args->comm));
    json_t *graphs = json_array();

    for (int g = 0; g < r->layers->n_graphs; g++)
        json_array_append_new(graphs, graph_json(&r->layers->graph[g]));
    json_t *all = json_pack(
        "{s:s, s:s, s:i, s:i, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, "
        "s:o, s:o}",
        "model", r->model, "isa", isa_get()->name, "ranks", comm_size(r->args->comm), "threads",
        r->threads, "batch", (json_int_t)r->args->job.batch, "samples",
        (json_int_t)r->layers->n_samples, "peak_gflops", r->machine.gflops, "memory_gb_per_s",
        r->machine.gb_per_s, "step_ms", 1e3 * r->times.total, "exposed_comm_ms",
        1e3 * r->times.exposed_comm, "control_comm_ms", 1e3 * r->times.control_comm,
        "bucket_comm_ms", 1e3 * r->times.bucket_comm, "sync_comm_ms", 1e3 * r->times.sync_comm,
        "exposed_comm_max_ms", 1e3 * exposed.max, "exposed_comm_min_ms", 1e3 * exposed.min,
        "optimizer_ms", 1e3 * r->times.optimizer, "convolutions", total_json(r->layers, true),
        "total", total_json(r->layers, false), "graphs", graphs);
    const bool done =
        all && !json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) && puts("") >= 0;
    json_decref(all);
    return done ? 0 : err_set(err, ERR_IO, "no memory for the figures, or nowhere to print them");
}
