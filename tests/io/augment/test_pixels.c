/* Operations on colours against torchvision's: tests/golden/augment.py. */
#include "io/augment/augment_pixels.h"
#include "torchvision_image.h"

static float v[GOLDEN_FLOATS], scratch[GOLDEN_FLOATS];

/* The image of the generator, and what it is called by. */
static struct pixels image(int64_t h, int64_t w, int divisor) {
    golden_image(v, h * w * 3, divisor);
    return (struct pixels){v, h, w, 3};
}

#define CHECK(sum, weighted, call)                                                                 \
    do {                                                                                           \
        const struct pixels p = image(12, 10, 1);                                                  \
        call;                                                                                      \
        golden_check(v, 360, sum, weighted);                                                       \
    } while (0)

static void factors_are_torchvisions(void **state) {
    (void)state;
    CHECK(230.47608, 1376.40393, pixels_brightness(&p, 1.4F));
    CHECK(179.16531, 1068.12292, pixels_contrast(&p, 0.6F));
    CHECK(182.91260, 1086.59413, pixels_saturation(&p, 1.8F));
    CHECK(179.63048, 1068.59691, pixels_sharpness(&p, 1.7F, scratch));
}

static void hues_are_torchvisions(void **state) {
    (void)state;
    CHECK(189.56547, 1127.12304, pixels_hue(&p, 0.2F));
    CHECK(194.89726, 1180.51691, pixels_hue(&p, -0.4F));
    CHECK(178.79562, 1072.34367, pixels_gray(&p));
}

static void grey_has_no_hue(void **state) {
    float grey[] = {0.25F, 0.25F, 0.25F}, one[] = {0.3F, 0.7F};
    const struct pixels p = {grey, 1, 1, 3}, q = {one, 1, 2, 1};

    (void)state;
    pixels_hue(&p, 0.3F);
    pixels_saturation(&p, 2);
    pixels_hue(&q, 0.3F);
    pixels_saturation(&q, 2);
    pixels_gray(&q);
    assert_true(fabsf(grey[0] - 0.25F) < 1e-4F && grey[0] == grey[1] && grey[1] == grey[2]);
    assert_true(one[0] == 0.3F && one[1] == 0.7F);
}

static void values_are_mapped_as_by_torchvision(void **state) {
    struct pixels whole;

    (void)state;
    CHECK(157.36471, 936.65885, pixels_posterize(&p, 3));
    CHECK(92.40784, 555.36863, pixels_solarize(&p, 0.6F));
    whole = image(12, 10, 1);
    for (int i = 0; i < 360; i++)
        v[i] = v[i] * 0.5F + 0.2F;
    pixels_autocontrast(&whole);
    golden_check(v, 360, 178.92212, 1065.38181);
    whole = image(32, 32, 3);
    pixels_equalize(&whole);
    golden_check(v, 3072, 1651.93728, 9879.21977);
}

/* Posterize to no bits is black, and to all of them no change. */
static void ends_of_ranges_hold(void **state) {
    float bytes[] = {0, 1, 128.0F / 255};
    const struct pixels p = {bytes, 1, 3, 1};

    (void)state;
    pixels_posterize(&p, 8);
    assert_true(bytes[1] == 1 && bytes[2] == 128.0F / 255);
    pixels_autocontrast(&p);
    assert_true(bytes[0] == 0 && bytes[1] == 1);
    pixels_posterize(&p, 0);
    assert_true(bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0);
    pixels_autocontrast(&p); /* of one value: stays */
    pixels_equalize(&p);
    assert_true(bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_torchvisions),
        cmocka_unit_test(hues_are_torchvisions),
        cmocka_unit_test(grey_has_no_hue),
        cmocka_unit_test(values_are_mapped_as_by_torchvision),
        cmocka_unit_test(ends_of_ranges_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
