/* A safetensors file, of which every tensor that can be read is read. */
#include "fuzz/fuzz.h"
#include "io/weights/safetensors.h"
#include "io/weights/tensor_file.h"

#include <stdlib.h>
#include <string.h>

static void read_all(const struct safetensors *st, size_t len) {
    int n;
    const struct safetensor *list = safetensors_list(st, &n);

    for (int i = 0; i < n; i++) {
        fuzz_check(list[i].begin >= 0 && list[i].begin <= list[i].end && (size_t)list[i].end <= len,
                   "a tensor lies in its file");
        fuzz_check(!i || strcmp(list[i - 1].name, list[i].name) < 0, "names are sorted, each once");
        if (list[i].why)
            continue;
        const size_t numbers = (size_t)shape_len(&list[i].shape);
        fuzz_check(numbers <= len, "a number takes a byte at least");
        float *out = malloc((numbers + 1) * sizeof *out);
        fuzz_check(out != NULL, "there is memory for a tensor");
        safetensors_read(st, i, out);
        free(out);
    }
    safetensors_meta(st, "format");
}

static void read_by_name(const char *path) {
    struct tensor_file f;
    struct err err = {0};

    if (tensor_file_open(&f, path, TENSORS_VALIDATED, &err)) {
        fuzz_check_error(&err);
        return;
    }
    tensor_file_from_torch(&f);
    for (int i = 0; i < f.n; i++)
        fuzz_check(tensor_file_find(&f, f.item[i].name) != NULL, "each is found by its name");
    tensor_file_release(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    const char *path = fuzz_file("x.safetensors", bytes, len);
    struct safetensors *st = NULL;
    struct err err = {0};

    if (safetensors_open(&st, path, &err)) {
        fuzz_check_error(&err);
    } else {
        read_all(st, len);
        safetensors_close(st);
        read_by_name(path);
    }
    return 0;
}
