/* same_tensors A.h5 B.h5: have two checkpoints the same tensors, to the bit? What they say of the
 * jobs and the data that they are of may differ. */
#include "io/weights/checkpoint.h"

#include <stdio.h>
#include <string.h>

static int compare(const struct checkpoint *a, const struct checkpoint *b) {
    int n, n_other, differ = 0;
    const struct checkpoint_tensor *t = checkpoint_tensors(a, &n);

    checkpoint_tensors(b, &n_other);
    for (int i = 0; i < n; i++) {
        const struct checkpoint_tensor *other = checkpoint_find(b, t[i].path);
        const size_t bytes = (size_t)shape_len(&t[i].shape) * sizeof(float);
        if (other && shape_equal(&t[i].shape, &other->shape) && t[i].plain == other->plain &&
            !memcmp(t[i].data, other->data, bytes))
            continue;
        fprintf(stderr, "%s differs\n", t[i].path);
        differ = 1;
    }
    if (n != n_other)
        fprintf(stderr, "%d and %d tensors\n", n, n_other);
    return differ || n != n_other || !n;
}

int main(int argc, char **argv) {
    struct checkpoint *a = NULL, *b = NULL;
    struct err err = {0};

    if (argc != 3 || checkpoint_open(&a, argv[1], &err) || checkpoint_open(&b, argv[2], &err)) {
        fprintf(stderr, "%s\n", argc == 3 ? err.msg : "expected two checkpoints");
        checkpoint_close(a);
        return 2;
    }
    const int rc = compare(a, b);
    checkpoint_close(a);
    checkpoint_close(b);
    return rc;
}
