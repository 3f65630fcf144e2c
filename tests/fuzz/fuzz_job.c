/* The text of a job: files, sections, expressions, networks, up to the plan of its memory. What is
 * taken reads back from its own print as the same job. */
#include "fuzz/fuzz.h"
#include "train/replica.h"

#include <stdlib.h>

static void plan(struct job *job) {
    static const int64_t counts[10] = {7, 1, 3, 9, 2, 5, 5, 5, 5, 8};
    const struct field fields[] = {
        {.name = "image", .sample = {3, {32, 32, 3}}, .kind = TENSOR_ACTS},
        {.name = "label",
         .sample = {0},
         .kind = TENSOR_INDICES,
         .n_classes = 10,
         .class_counts = counts},
        {.name = "mask",
         .sample = {2, {32, 32}},
         .kind = TENSOR_INDICES,
         .n_classes = 10,
         .class_counts = counts},
    };
    const struct replica_config config = {.job = job,
                                          .fields = fields,
                                          .n_fields = sizeof fields / sizeof *fields,
                                          .batch = 8,
                                          .validate_batch = 8,
                                          .training = true,
                                          .data_name = "data.h5:train"};
    struct replica replica = {0};
    struct err err = {0};

    if (replica_init(&replica, &config, &err))
        fuzz_check_error(&err);
    replica_release(&replica);
}

static void print_and_read(const struct job *job) {
    char *text = source_print(&job->source);
    struct source_change *changes;
    struct pool pool = {0};
    struct err err = {0};
    struct job again;

    fuzz_check(text != NULL, "there is memory for the job's print");
    fuzz_must(job_read_text(&again, "print", text, NULL, 0, &err), &err);
    fuzz_check(!source_changes(&job->source, &again.source, &pool, &changes),
               "the print of a job is the same job");
    job_release(&again);
    pool_release(&pool);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    char *text = fuzz_text(bytes, len);
    struct err err = {0};
    struct job job;

    if (job_read_text(&job, "job.ini", text, NULL, 0, &err)) {
        fuzz_check_error(&err);
    } else {
        print_and_read(&job);
        plan(&job);
    }
    job_release(&job);
    free(text);
    return 0;
}
