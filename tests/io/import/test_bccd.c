/* A dataset of VOC's layout as it is found. BCCD_DATA names its folder. */
#include "io/scratch.h"

#include "io/dataset/dataset.h"
#include "io/import/import.h"

/* 364 pictures of blood cells, where they are: github.com/Shenggan/BCCD_Dataset. */
static void blood_cells_are_read_as_they_are(void **state) {
    const struct import_options o = {.threads = 1, .width = 320, .height = 240};
    const char *source = getenv("BCCD_DATA");
    struct import_result result = {0};
    struct dataset *ds = NULL;
    struct err err = {0};

    (void)state;
    if (import_voc.run(source, in_scratch("bccd.h5"), &o, &result, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(result.n_images, 364);
    assert_int_equal(result.n_classes, 3);
    assert_contains(result.note, "4888 boxes, at most 30 in a picture");
    assert_int_equal(dataset_open(&ds, in_scratch("bccd.h5:train"), 0, &err), 0);
    assert_string_equal(dataset_class_name(ds, dataset_find_field(ds, "boxes"), 1), "RBC");
    dataset_close(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blood_cells_are_read_as_they_are),
    };

    if (!getenv("BCCD_DATA")) {
        printf("skipped: BCCD_DATA names no folder of BCCD's pictures\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
