#include "golden_regions.h"
#include "support/op_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct op_case of(act found[4 * 6], act logits[4 * 32]) {
    const act classes[] = {1, 0, 1};

    for (int i = 0; i < 4 * 32; i++)
        logits[i] = i < 3 * 32 ? golden_mask_logits[i] : 1;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++)
            found[i * 6 + j] = i < 3 ? golden_mask_regions[i * 4 + j] : 0;
        found[i * 6 + 4] = i < 3 ? classes[i] : -1;
        found[i * 6 + 5] = (act)0.5;
    }
    return (struct op_case){"mask_of", .n_x = 3,
                            .x = {{5, {1, 4, 4, 4, 2}}, {3, {1, 4, 6}}, {4, {1, 10, 12, 3}}},
                            .x_data = {logits, found}};
}

/* The last row is none. */
static void output_agrees_with_torchvision(void **state) {
    act found[4 * 6], logits[4 * 32], out[4 * 120] = {0};

    (void)state;
    for (int i = 0; i < 3 * 120; i++)
        out[i] = golden_pasted[i];
    const struct op_case c = of(found, logits);
    check_output(&c, (struct shape){4, {1, 4, 10, 12}}, out);
}

static void what_does_not_match_is_refused(void **state) {
    act found[4 * 6], logits[4 * 32];

    (void)state;
    struct op_case c = of(found, logits);
    c.x[0].dim[2] = 3;
    check_refused(&c, "mask_of: logits are 1x4x3x4x2, expected square pictures of what was found");
    c = of(found, logits);
    c.x[1].dim[2] = 5;
    check_refused(&c, "mask_of: boxes found are 1x4x5, expected a list with 6 numbers a row");
    c = of(found, logits);
    c.x[2] = (struct shape){3, {1, 10, 12}};
    check_refused(&c, "mask_of: image is 1x10x12, expected images");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_agrees_with_torchvision),
        cmocka_unit_test(what_does_not_match_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
