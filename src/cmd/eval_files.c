/* eval_files.c - the files that `dltrain eval` writes. */
#include "cmd/eval.h"
#include "io/file/file.h"
#include "report/measures_json.h"

#include <stdlib.h>
#include <string.h>

/* What was measured, and on what. */
static json_t *content(const struct eval_args *e, const struct replica *r, const struct feed *feed,
                       const struct trained *trained, const struct eval_classes *classes) {
    json_t *root = json_object(), *errors = json_object();
    const bool of_run = e->a.run && trained->meta.json; /* whose job has the name of a file else */

    json_object_set_new(root, "job",
                        json_string(of_run ? meta_name(&trained->meta) : e->a.job.name));
    json_object_set_new(root, "weights", e->a.weights ? json_string(e->a.weights) : json_null());
    json_object_set_new(root, "data", json_string(dataset_name(feed->dataset)));
    json_object_set_new(root, "samples", json_integer(dataset_len(feed->dataset)));
    json_object_set_new(root, "validate", measures_json(r, errors));
    json_object_set_new(root, "error", errors);
    if (classes->n)
        eval_classes_json(classes, root);
    return root;
}

int eval_json(const struct eval_args *e, const struct replica *r, const struct feed *feed,
              const struct trained *trained, const struct eval_classes *classes, struct err *err) {
    json_t *root = content(e, r, feed, trained, classes);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(9));
    const int rc = text ? file_replace(e->json, text, strlen(text), err)
                        : err_set(err, ERR_IO, "%s: no memory", e->json);

    free(text);
    json_decref(root);
    return rc;
}

int eval_worst(const struct eval_args *e, const struct feed *feed, const struct trained *trained,
               const struct worst *worst, struct err *err) {
    const bool told = trained->meta.json != NULL;
    const struct worst_run run = {.job = &e->a.job,
                                  .dataset = feed->dataset,
                                  .step = told ? meta_step(&trained->meta) : 0,
                                  .epoch = told ? meta_epoch(&trained->meta) : 0};

    return worst_write(worst, &run, e->out, err);
}
