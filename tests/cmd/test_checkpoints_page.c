/* The Python of docs/checkpoints.md does what the page says. Skipped where Python has no h5py. */
#include "cmd/printed.h"
#include "cmd/results.h"
#include "cmd/torch_case.h"

static const char *python;

/* Write block number i of the page's Python to a file. */
static void write_block(int i, const char *path) {
    char *page = program_read(DLTRAIN_CONFIGS "/../docs/checkpoints.md"), *at = page;

    for (; i >= 0; i--) {
        at = strstr(at, "```python\n");
        assert_non_null(at);
        at += strlen("```python\n");
    }
    char *end = strstr(at, "```\n");
    assert_non_null(end);
    *end = 0;
    program_write(path, "%s", at);
    free(page);
}

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    program_write_job("cells.ini", 10, "[validate]\nbest = top1\n[step]\nema = 0.5\n");
    program_expect(0, NULL, "$DLTRAIN cells.ini");
    write_block(0, "look.py");
    write_block(1, "st.py");
    return 0;
}

static void h5py_reads_what_a_checkpoint_says(void **state) {
    char command[64], first[96];

    (void)state;
    snprintf(command, sizeof command, "%s look.py", python);
    snprintf(first, sizeof first, "cells after epoch 1.0 top1 %.4f",
             results_measure("cells", "top1"));
    expect_text(command, first);
    expect_text(command, "classes ['circle', 'square', ");
    expect_text(command, "normalised by {'mean': [0.");
    expect_text(command, "small conv1.weight (3, 3, 3, 8) ");
}

/* Read and written, it is the same file to the program. */
static void safetensors_need_no_packages(void **state) {
    (void)state;
    program_write("copy.py", "from st import *\n"
                             "t = read_safetensors(\"a.safetensors\")\n"
                             "print(sorted(t)[0], t[\"fc.weight\"][0], len(t[\"fc.weight\"][1]))\n"
                             "write_safetensors(\"b.safetensors\", t)\n");
    program_expect(0, NULL, "$DLTRAIN convert runs/cells/best.h5 a.safetensors");
    struct program_run run = program_run("%s copy.py", python);
    assert_string_equal(run.out, "conv1.bias [10, 256] 2560\n");
    program_release(&run);
    program_expect(0, NULL,
                   "$DLTRAIN eval runs/cells --weights a.safetensors | grep result > a && "
                   "$DLTRAIN eval runs/cells --weights b.safetensors | grep result | cmp a -");
    program_expect(0, NULL,
                   "$DLTRAIN convert b.safetensors c.safetensors && "
                   "$DLTRAIN convert a.safetensors d.safetensors && "
                   "cmp c.safetensors d.safetensors");
}

int main(void) {
    python = torch_python("h5py");
    if (!python)
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(h5py_reads_what_a_checkpoint_says),
        cmocka_unit_test(safetensors_need_no_packages),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
