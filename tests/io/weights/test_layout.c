/* Weights in PyTorch's order and back. Numbers by hand: element [o][i][y][x] of PyTorch is written
 * as the digits o i y x. */
#include "io/scratch.h"
#include "io/weights/layout.h"

static void shapes(struct shape ours, struct shape torch) {
    const struct shape to = layout_to_torch(&ours), from = layout_from_torch(&torch);

    assert_true(shape_equal(&to, &torch));
    assert_true(shape_equal(&from, &ours));
}

static void there_and_back(struct shape ours, const float *x, struct shape torch, const float *y) {
    float out[64];

    shapes(ours, torch);
    layout_write_torch(&ours, x, out);
    assert_memory_equal(out, y, (size_t)shape_len(&ours) * sizeof *y);
    layout_read_torch(&torch, y, out);
    assert_memory_equal(out, x, (size_t)shape_len(&ours) * sizeof *x);
}

static void a_linear_layer_is_transposed(void **state) {
    static const float ours[] = {0, 10, 1, 11, 2, 12}; /* [inputs 3][outputs 2] */
    static const float torch[] = {0, 1, 2, 10, 11, 12};

    (void)state;
    there_and_back((struct shape){2, {3, 2}}, ours, (struct shape){2, {2, 3}}, torch);
}

static void a_convolution_has_its_channels_first_in_pytorch(void **state) {
    /* [y 2][x 1][i 3][o 2] */
    static const float ours[] = {0, 1000, 100, 1100, 200, 1200, 10, 1010, 110, 1110, 210, 1210};
    static const float torch[] = {0, 10, 100, 110, 200, 210, 1000, 1010, 1100, 1110, 1200, 1210};

    (void)state;
    there_and_back((struct shape){4, {2, 1, 3, 2}}, ours, (struct shape){4, {2, 3, 2, 1}}, torch);
}

static void one_and_three_dimensions_of_space_follow_the_same_rule(void **state) {
    static const float line[] = {0, 100, 10, 110, 20, 120}; /* [x 3][i 1][o 2] */
    static const float torch[] = {0, 10, 20, 100, 110, 120};
    float cube[16];

    (void)state;
    there_and_back((struct shape){3, {3, 1, 2}}, line, (struct shape){3, {2, 1, 3}}, torch);
    /* [z 2][y 2][x 2][i 1][o 2]: the two outputs alternate in ours */
    for (int i = 0; i < 16; i++)
        cube[i] = (float)(i % 2 * 8 + i / 2);
    static const float halves[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    there_and_back((struct shape){5, {2, 2, 2, 1, 2}}, cube, (struct shape){5, {2, 1, 2, 2, 2}},
                   halves);
}

static void vectors_stay(void **state) {
    static const float v[] = {3, 1, 2};

    (void)state;
    there_and_back((struct shape){1, {3}}, v, (struct shape){1, {3}}, v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_layer_is_transposed),
        cmocka_unit_test(a_convolution_has_its_channels_first_in_pytorch),
        cmocka_unit_test(one_and_three_dimensions_of_space_follow_the_same_rule),
        cmocka_unit_test(vectors_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
