/* fault_json.c - a fault for programs. What is not known is not there. */
#include "train/fault_parts.h"

#include <math.h>
#include <time.h>

/* JSON is UTF-8: of a text that is not, nothing is said. */
static void text(json_t *to, const char *key, const char *value) {
    json_t *json = value && value[0] ? json_string(value) : NULL;

    if (json)
        json_object_set_new(to, key, json);
}

static json_t *texts(const char *const *list, int n) {
    json_t *array = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

/* JSON has no numbers that are not finite. */
static json_t *losses(const struct fault *f) {
    json_t *array = json_array();

    for (int i = 0; i < f->n_losses; i++)
        json_array_append_new(array, isfinite(f->loss[i]) ? json_real(f->loss[i])
                                     : isnan(f->loss[i])  ? json_string("nan")
                                                          : json_string("inf"));
    return array;
}

json_t *fault_json(const struct fault *f) {
    json_t *json = json_object();

    text(json, "kind", fault_kind_name(f->kind));
    text(json, "message", f->message);
    json_object_set_new(json, "time", json_integer((json_int_t)time(NULL)));
    if (f->rank >= 0)
        json_object_set_new(json, "rank", json_integer(f->rank));
    json_object_set_new(json, "ranks", json_integer(f->size));
    text(json, "host", f->host);
    if (f->step > 0)
        json_object_set_new(json, "step", json_integer(f->step));
    text(json, "of", f->which);
    text(json, "phase", f->phase);
    text(json, "operator", f->node);
    text(json, "tensor", f->tensor);
    if (f->bucket > 0)
        json_object_set_new(json, "bucket", json_integer(f->bucket));
    json_object_set_new(json, "samples", texts(f->sample, f->n_samples));
    json_object_set_new(json, "losses", losses(f));
    json_object_set_new(json, "known", texts(f->line, f->n_lines));
    text(json, "advice", f->advice);
    return json;
}
