/* An ONNX file, which becomes a job that can be built, or is refused. */
#include "fuzz/fuzz.h"
#include "export/import.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    struct pool pool = {0};
    struct onnx_import net;
    struct err err = {0};

    if (import_onnx("file.onnx", bytes, len, "file.safetensors", &pool, &net, &err)) {
        fuzz_check_error(&err);
        fuzz_check(err.kind == ERR_DATA, "what is refused is data");
    } else {
        fuzz_check(net.text && strstr(net.text, "[net "), "the text holds a net");
        fuzz_check(net.n_nodes > 0, "and is of nodes");
        for (int i = 0; i < net.n_tensors; i++)
            fuzz_check(net.tensors[i].name && net.tensors[i].data &&
                           shape_fits(&net.tensors[i].shape),
                       "tensors have a name, a shape and numbers");
    }
    pool_release(&pool);
    return 0;
}
