#define _GNU_SOURCE /* processor affinity */
#include "cmd/version.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "core/base/core_set.h"
#include "core/math/gemm.h"
#include "core/math/isa/isa.h"
#include "dist/comm.h"
#include "dist/topology.h"
#include "io/h5/h5.h"
#include "io/image/image.h"

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

void version_print(void) {
    printf(version_commit[0] ? "dltrain %s (%s)\n" : "dltrain %s\n", DLTRAIN_VERSION,
           version_commit);
}

/* Everything as one object, from which both forms are made. */
static json_t *compiler_json(void) {
    return json_pack("{s:s, s:s, s:s}", "name", DLTRAIN_COMPILER, "build", DLTRAIN_BUILD, "flags",
                     DLTRAIN_FLAGS);
}

static json_t *mpi_json(void) {
    char library[COMM_TEXT], standard[COMM_TEXT];

    comm_library(library, standard);
    return json_pack("{s:s, s:s}", "library", library, "standard", standard);
}

static json_t *blas_json(void) {
    char library[GEMM_TEXT], kernels[GEMM_TEXT];
    int threads;

    gemm_library(library, kernels, &threads);
    return json_pack("{s:s, s:s, s:i}", "library", library, "kernels", kernels, "threads", threads);
}

static json_t *pictures_json(void) {
    json_t *object = json_object();
    char version[IMAGE_VERSION_TEXT];
    const char *name;

    for (int i = 0; image_library(i, &name, version); i++)
        json_object_set_new(object, name, json_string(version));
    return object;
}

static json_t *isa_json(void) {
    json_t *available = json_array();
    int n;
    const struct isa *const *table = isa_table(&n);

    for (int i = 0; i < n; i++)
        json_array_append_new(available, json_string(table[i]->name));
    return json_pack("{s:s, s:o}", "chosen", isa_get()->name, "available", available);
}

static json_t *processors_json(void) {
    const struct core_set unknown = {0};
    struct topology *t = calloc(1, sizeof *t);
    cpu_set_t allowed;

    if (!t)
        return json_null();
    topology_read(t, &unknown);
    const int n = sched_getaffinity(0, sizeof allowed, &allowed) ? 0 : CPU_COUNT(&allowed);
    json_t *object =
        json_pack("{s:i, s:i, s:i, s:i, s:i}", "allowed", n, "all", t->n_processors, "cores",
                  t->n_cores, "sockets", t->n_sockets, "numa_nodes", t->n_nodes);
    free(t);
    return object;
}

static json_t *version_json(void) {
    char hdf5[H5_VERSION_TEXT];

    h5_version(hdf5);
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "version", DLTRAIN_VERSION,
                     "commit", version_commit, "compiler", compiler_json(), "mpi", mpi_json(),
                     "hdf5", hdf5, "blas", blas_json(), "pictures", pictures_json(),
                     "instruction_set", isa_json(), "processors", processors_json());
}

static const char *text(const json_t *object, const char *group, const char *key) {
    return json_string_value(json_object_get(json_object_get(object, group), key));
}

static long long whole(const json_t *object, const char *group, const char *key) {
    return json_integer_value(json_object_get(json_object_get(object, group), key));
}

static void print_text(json_t *v) {
    const json_t *available = json_object_get(json_object_get(v, "instruction_set"), "available");
    const char *name;
    json_t *value;
    size_t i;

    version_print();
    printf("compiler      %s, %s: %s\n", text(v, "compiler", "name"), text(v, "compiler", "build"),
           text(v, "compiler", "flags"));
    printf("MPI           %s (standard %s)\n", text(v, "mpi", "library"),
           text(v, "mpi", "standard"));
    printf("HDF5          %s\n", json_string_value(json_object_get(v, "hdf5")));
    printf("BLAS          %s, kernels for %s, %lld thread of its own for each of ours\n",
           text(v, "blas", "library"), text(v, "blas", "kernels"), whole(v, "blas", "threads"));
    printf("pictures     ");
    json_object_foreach(json_object_get(v, "pictures"), name, value)
        printf(" %s %s", name, json_string_value(value));
    printf("\ninstructions  %s of", text(v, "instruction_set", "chosen"));
    json_array_foreach(available, i, value) printf(" %s", json_string_value(value));
    printf("\nprocessors    %lld of %lld; cores %lld, sockets %lld, NUMA nodes %lld\n",
           whole(v, "processors", "allowed"), whole(v, "processors", "all"),
           whole(v, "processors", "cores"), whole(v, "processors", "sockets"),
           whole(v, "processors", "numa_nodes"));
}

static int run(int argc, char **argv, struct err *err) {
    static const struct option_spec options[] = {{"json", OPTION_FLAG, .offset = 0}, {0}};
    bool json = false;
    const int first = options_read(&json, options, "version", argc, argv, err);

    if (first < 0)
        return -1;
    if (first < argc)
        return err_set(err, ERR_USAGE, "version: found '%s', expected nothing or --json",
                       argv[first]);
    json_t *v = version_json();
    if (!v)
        return err_set(err, ERR_IO, "version: no memory for what there is to say");
    if (json)
        json_dumpf(v, stdout, JSON_INDENT(2));
    else
        print_text(v);
    if (json)
        printf("\n");
    json_decref(v);
    return 0;
}

const struct command command_version = {
    .name = "version",
    .summary = "which build this is, with which libraries, on which processor",
    .usage =
        "dltrain version [--json]\n"
        "\n"
        "  --json    one object for programs\n"
        "\n"
        "Version, commit, compiler and its flags; MPI, HDF5, BLAS and libraries of pictures;\n"
        "the instruction set that kernels use and those that this processor has; processors\n"
        "that this process may use, of all. For reports of what went wrong. The first line is\n"
        "that of dltrain --version.\n",
    .alone = true,
    .run = run,
};
