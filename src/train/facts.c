#include "train/facts.h"
#include "core/math/gemm.h"
#include "core/math/isa/isa.h"
#include "dist/agree.h"
#include "io/file/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { PROBES = 8, LIBC_TEXT = 64 }; /* samples of a field whose content is compared */

/* --- program and job --- */

/* Two builds of one version may round otherwise. Where the system does not show the file, nothing
 * is compared. */
static void add_program(struct same *list) {
    struct err ignored = {0};
    char *bytes;
    size_t len;

    if (file_read("/proc/self/exe", &bytes, &len, &ignored))
        return;
    same_add(list, "hash of the program", "%016" PRIx64, XXH3_64bits(bytes, len));
    free(bytes);
}

/* Whoever chooses kernels wants them everywhere; without a choice each host takes its best. */
static void add_environment(struct same *list) {
    const char *kernels = getenv("DLTRAIN_ISA");

    if (kernels)
        same_add(list, "DLTRAIN_ISA", "%s", kernels);
}

/* Libraries that a host finds for itself: two of MPI do not understand each other, and those that
 * compute, the C library's functions among them, round otherwise. */
static void add_libraries(struct same *list) {
    char library[COMM_TEXT], standard[COMM_TEXT], blas[GEMM_TEXT], kernels[GEMM_TEXT];
    char libc[LIBC_TEXT] = "";
    int threads;

    comm_library(library, standard);
    gemm_library(blas, kernels, &threads);
    same_add(list, "the MPI library", "%s", library);
    same_add(list, "the BLAS library", "%s", blas);
#ifdef _CS_GNU_LIBC_VERSION
    confstr(_CS_GNU_LIBC_VERSION, libc, sizeof libc);
#endif
    same_add(list, "the C library", "%s", libc);
}

/* Processors of other kinds compute with other kernels, whose sums round otherwise. Replicas stay
 * the same, but which bits they have depends on who computes which sample. */
static void add_kernels(struct same *list) {
    char blas[GEMM_TEXT], kernels[GEMM_TEXT];
    int threads;

    gemm_library(blas, kernels, &threads);
    same_add(list, "kernels, which DLTRAIN_ISA and OPENBLAS_CORETYPE choose,", "%s, BLAS for %s",
             isa_get()->name, kernels);
}

/* A section without inputs or parameters is the keys that it holds, unless it is empty. */
static void add_section(struct same *list, const struct section *s) {
    const char *name = pool_print(&list->pool, "[%s%s%s]", s->kind, s->name[0] ? " " : "", s->name);
    const bool job = !strcmp(s->kind, "job");

    if (s->n_params || !s->n_entries)
        same_add(list, name, "%s", s->n_params ? s->header : "");
    for (int i = 0; i < s->n_entries; i++) {
        const struct entry *e = &s->entries[i];
        if (!job || strcmp(e->key, "threads"))
            same_add(list, pool_print(&list->pool, "%s %s", name, e->key), "%s", e->value);
    }
}

void facts_job(struct same *list, const struct job *job) {
    add_program(list);
    add_environment(list);
    add_libraries(list);
    if (job->reproducible)
        add_kernels(list);
    for (int i = 0; i < job->source.n_sections; i++)
        add_section(list, &job->source.sections[i]);
}

int facts_check_job(struct comm *comm, const struct same *list, struct err *err) {
    return same_check(comm, list, ERR_CONFIG,
                      "all ranks need the same program, libraries, command, environment and job",
                      err);
}

/* --- data --- */

static const char *kind_text(enum dataset_kind kind) {
    return kind == DATASET_BYTES     ? "bytes"
           : kind == DATASET_REALS   ? "reals"
           : kind == DATASET_ENCODED ? "encoded pictures"
                                     : "class numbers";
}

/* "bytes 32x32x3", "class numbers"; encoded pictures have no one size. */
static const char *form_text(struct pool *pool, const struct shape *sample,
                             enum dataset_kind kind) {
    char text[SHAPE_TEXT];

    if (kind == DATASET_ENCODED)
        return pool_print(pool, "%s of %" PRId64 " channel%s", kind_text(kind), sample->dim[2],
                          sample->dim[2] == 1 ? "" : "s");
    return pool_print(pool, "%s%s%s", kind_text(kind), sample->rank ? " " : "",
                      shape_text(sample, text));
}

static const char *class_list(struct pool *pool, const struct dataset *ds, int field) {
    const int n = dataset_field_classes(ds, field);
    size_t len = 1;

    for (int c = 0; c < n; c++)
        len += strlen(dataset_class_name(ds, field, c)) + 2;
    char *text = pool_take(pool, len), *at = text;
    for (int c = 0; c < n; c++) {
        if (c)
            at = memcpy(at, ", ", 2), at += 2;
        const char *name = dataset_class_name(ds, field, c);
        at = memcpy(at, name, strlen(name)), at += strlen(name);
    }
    return text;
}

/* A fact of the field: "image of data/x.h5:train". */
static const char *key_of(struct pool *pool, const struct dataset *ds, int field,
                          const char *what) {
    return pool_print(pool, "%s%s of %s", what, dataset_field(ds, field)->name, dataset_name(ds));
}

enum { STATISTICS_SHOWN = 64 }; /* of tables with many columns; fingerprints are of all */

static void add_statistics(struct same *list, const struct dataset *ds, int field) {
    const float *mean = dataset_mean(ds, field), *std = dataset_std(ds, field);
    struct pool *pool = &list->pool;
    const int64_t n = shape_channels(&dataset_field(ds, field)->sample);
    const char *text = "";

    for (int c = 0; mean && c < n && c < STATISTICS_SHOWN; c++)
        text = pool_print(pool, "%s%s%.9g +- %.9g", text, c ? ", " : "", (double)mean[c],
                          (double)std[c]);
    if (mean)
        same_add(list, key_of(pool, ds, field, "mean and std of "), "%s", text);
}

/* Hashes of the content of samples from the first to the last. */
static int add_probes(struct same *list, struct dataset *ds, int field, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, field);
    uint64_t hash;

    for (int64_t i = 0; i < PROBES && i < f->rows; i++) {
        const int64_t row = f->rows <= PROBES ? i : (f->rows - 1) / (PROBES - 1) * i;
        if (dataset_row_hash(ds, field, row, &hash, err))
            return -1;
        same_add(list,
                 pool_print(&list->pool, "sample %" PRId64 " of %s", row,
                            key_of(&list->pool, ds, field, "")),
                 "hash %016" PRIx64, hash);
    }
    return 0;
}

static int add_field(struct same *list, struct dataset *ds, int field, struct err *err) {
    const struct dataset_field *f = dataset_field(ds, field);
    struct pool *pool = &list->pool;

    same_add(list, key_of(pool, ds, field, ""), "%" PRId64 " rows of %s%s", f->rows,
             form_text(pool, &f->sample, f->kind), f->unpaired ? ", unpaired" : "");
    if (f->kind == DATASET_CLASS || f->boxes)
        same_add(list, key_of(pool, ds, field, "classes of "), "%d: %s",
                 dataset_field_classes(ds, field), class_list(pool, ds, field));
    add_statistics(list, ds, field);
    return add_probes(list, ds, field, err);
}

static int add_dataset(struct same *list, struct dataset *ds, struct err *err) {
    for (int i = 0; i < dataset_n_fields(ds); i++)
        if (add_field(list, ds, i, err))
            return -1;
    same_add(list, pool_print(&list->pool, "the fingerprint of %s", dataset_name(ds)),
             "%016" PRIx64, dataset_fingerprint(ds));
    return 0;
}

static int check(struct comm *comm, const struct same *list, struct err *err) {
    return same_check(comm, list, ERR_DATA, "all hosts need the same files", err);
}

int facts_check_data(struct comm *comm, struct dataset *const *data, int n, struct err *err) {
    struct same list = {0};
    int rc = 0;

    if (comm_size(comm) == 1)
        return 0;
    for (int i = 0; i < n && !rc; i++)
        rc = add_dataset(&list, data[i], err);
    rc = agree(comm, rc, err) || check(comm, &list, err) ? -1 : 0;
    same_release(&list);
    return rc;
}

/* Whether the file has bytes or reals is nothing to who only looks at what the network sees. */
static const char *field_text(struct pool *pool, const struct loader_field *f) {
    const bool class = f->kind == DATASET_CLASS;
    const char *form = form_text(pool, &f->sample, class ? DATASET_CLASS : DATASET_REALS);

    if (class && f->n_classes < 0) /* no data is there that would say it */
        return pool_print(pool, "%s of any number of classes: its data is not there", form);
    return class ? pool_print(pool, "%s of %d classes", form, f->n_classes) : form;
}

int facts_check_fields(struct comm *comm, const struct loader_field *field, int n,
                       struct err *err) {
    struct same list = {0};

    for (int i = 0; i < n; i++)
        same_add(&list, pool_print(&list.pool, "the field %s", field[i].name), "%s",
                 field_text(&list.pool, &field[i]));
    const int rc = check(comm, &list, err);
    same_release(&list);
    return rc;
}
