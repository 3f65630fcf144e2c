/* Weights by name from either kind of file, in our order. */
#include "io/scratch.h"
#include "io/weights/checkpoint.h"
#include "io/weights/safetensors.h"
#include "io/weights/tensor_file.h"

static const float w[] = {1, 2, 3, 4, 5, 6}, turned[] = {1, 3, 5, 2, 4, 6}, b[] = {7, 8};
static const float average[] = {9, 10};

static const char *write_checkpoint(void) {
    static const struct checkpoint_tensor t[] = {
        {"/nets/gen/fc.weight", {2, {3, 2}}, w, false},
        {"/nets/gen/fc.bias", {1, {2}}, b, false},
        {"/nets/gen/words.weight", {2, {3, 2}}, w, true},
        {"/nets/dis/fc.bias", {1, {2}}, b, false},
        {"/ema/gen/fc.bias", {1, {2}}, average, false},
        {"/optimizer/step/gen/0", {1, {2}}, b, false},
    };
    const char *path = in_scratch("two.h5");
    struct err err = {0};

    if (checkpoint_write(path, t, 6, "{}", &err))
        fail_msg("%s", err.msg);
    return path;
}

static const char *write_safetensors(void) {
    static const struct safetensor_out t[] = {
        {"gen.fc.weight", {2, {2, 3}}, turned},
        {"gen.words.weight", {2, {3, 2}}, w},
        {"dis.fc.bias", {1, {2}}, b},
    };
    static const struct safetensors_text meta = {"dltrain.plain", "gen.words.weight\n"};
    const char *path = in_scratch("two.safetensors");
    struct err err = {0};

    if (safetensors_write(path, t, 3, &meta, 1, &err))
        fail_msg("%s", err.msg);
    return path;
}

static struct tensor_file opened(const char *path, enum tensor_choice choice, const char *net) {
    struct tensor_file f;
    struct err err = {0};

    if (tensor_file_open(&f, path, choice, &err) || tensor_file_select(&f, net, &err))
        fail_msg("%s", err.msg);
    return f;
}

static void holds(const struct tensor_file *f, const char *name, bool plain, const float *numbers,
                  int n) {
    const struct tensor_item *item = tensor_file_find(f, name);
    struct err err = {0};
    float out[6];

    if (!item)
        fail_msg("%s has no %s", f->path, name);
    assert_int_equal(item->plain, plain);
    assert_int_equal(shape_len(&item->shape), n);
    assert_int_equal(tensor_file_read(f, item, plain, out, &err), 0);
    assert_memory_equal(out, numbers, (size_t)n * sizeof *out);
}

static void both_kinds_of_files_give_our_order(void **state) {
    const char *const paths[] = {write_checkpoint(), write_safetensors()};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tensor_file f = opened(paths[i], TENSORS_LAST, "gen");
        assert_int_equal(f.n, i == 0 ? 3 : 2);
        holds(&f, "fc.weight", false, w, 6);
        holds(&f, "words.weight", true, w, 6);
        assert_null(tensor_file_find(&f, "gen.fc.weight"));
        const struct shape ours = {2, {3, 2}}, torch = {2, {2, 3}};
        const struct shape matrix = tensor_file_shape(&f, &ours, false);
        const struct shape table = tensor_file_shape(&f, &ours, true);
        assert_true(shape_equal(&matrix, i == 0 ? &ours : &torch));
        assert_true(shape_equal(&table, &ours));
        tensor_file_release(&f);
    }
}

static void without_a_net_names_begin_with_theirs(void **state) {
    (void)state;
    struct tensor_file f = opened(write_checkpoint(), TENSORS_LAST, NULL);
    assert_int_equal(f.n, 4);
    assert_null(f.net);
    assert_string_equal(tensor_file_nets(&f), "dis, gen");
    holds(&f, "gen.fc.bias", false, b, 2);
    tensor_file_release(&f);
}

static void averages_replace_what_they_are_of(void **state) {
    struct err err = {0};

    (void)state;
    const enum tensor_choice choices[] = {TENSORS_AVERAGED, TENSORS_VALIDATED};
    struct tensor_file f;
    for (int i = 0; i < 2; i++) {
        f = opened(write_checkpoint(), choices[i], "gen");
        assert_int_equal(f.n, 3);
        assert_true(tensor_file_find(&f, "fc.bias")->averaged);
        assert_false(tensor_file_find(&f, "fc.weight")->averaged);
        holds(&f, "fc.bias", false, average, 2);
        holds(&f, "fc.weight", false, w, 6);
        tensor_file_release(&f);
    }
    f = opened(write_safetensors(), TENSORS_VALIDATED, "dis");
    holds(&f, "fc.bias", false, b, 2);
    tensor_file_release(&f);
    assert_int_equal(tensor_file_open(&f, write_safetensors(), TENSORS_AVERAGED, &err), -1);
    assert_contains(err.msg, "two.safetensors: is no checkpoint: it holds no averaged weights");
}

static void renaming_must_leave_names_apart(void **state) {
    struct renames rules = {0};
    struct pool pool = {0};
    struct err err = {0};

    (void)state;
    struct tensor_file f = opened(write_checkpoint(), TENSORS_LAST, "gen");
    assert_int_equal(rename_parse(&rules, &pool, "fc -> a, *.weight -> a.weight", true, &err), 0);
    assert_int_equal(tensor_file_rename(&f, &rules, &err), -1);
    assert_contains(err.msg, "renaming gives ");
    assert_contains(err.msg, "the same name a.weight");
    rules = (struct renames){0};
    assert_int_equal(rename_parse(&rules, &pool, "a.bias ->", true, &err), 0);
    assert_int_equal(tensor_file_rename(&f, &rules, &err), -1);
    assert_contains(err.msg, "two.h5: renaming leaves nothing of the name fc.bias");
    tensor_file_release(&f);
    pool_release(&pool);
}

static void a_net_that_is_not_there_is_refused(void **state) {
    const char *const paths[] = {write_checkpoint(), write_safetensors()};
    static const char *const messages[] = {
        "two.h5: holds no net generator; its nets are: dis, gen",
        "two.safetensors: holds no tensor whose name begins with generator."};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tensor_file f;
        struct err err = {0};
        assert_int_equal(tensor_file_open(&f, paths[i], TENSORS_LAST, &err), 0);
        assert_int_equal(tensor_file_select(&f, "generator", &err), -1);
        assert_contains(err.msg, messages[i]);
        assert_int_equal(err.kind, ERR_DATA);
        tensor_file_release(&f);
    }
}

static void refused(const char *bytes, size_t len, enum err_kind kind, const char *message) {
    const char *path = in_scratch("other");
    struct tensor_file f;
    struct err err = {0};

    if (bytes)
        write_bytes(path, bytes, len);
    assert_int_equal(tensor_file_open(&f, path, TENSORS_LAST, &err), -1);
    assert_contains(err.msg, message);
    assert_int_equal(err.kind, kind);
}

static void other_files_are_refused(void **state) {
    (void)state;
    refused(NULL, 0, ERR_IO, "other: cannot be read: No such file or directory");
    refused("", 0, ERR_DATA, "other: is neither a checkpoint nor safetensors");
    refused("hello, world, hello", 19, ERR_DATA, "other: is neither a checkpoint nor safetensors");
    refused("PK\3\4aaaaaaaaaaaaaaa", 19, ERR_DATA, "other: is PyTorch's own format");
    refused("\x80\2}q\0.", 6, ERR_DATA, "other: is PyTorch's own format");
    refused("\x89HDF\r\n\x1a\n........", 16, ERR_DATA, "other: not a checkpoint");
    refused("\4\0\0\0\0\0\0\0{\"a\"", 12, ERR_DATA, "other: its header is not as expected");
}

/* The names of a safetensors file of these, as PyTorch has them and as they are here. */
static void expect_names(const char *const *torch, int n, const char *ours) {
    struct safetensor_out t[8];
    const char *path = in_scratch("spectral.safetensors");
    struct err err = {0};
    char found[512] = "";

    for (int i = 0; i < n; i++)
        t[i] = (struct safetensor_out){torch[i], {1, {2}}, b};
    if (safetensors_write(path, t, n, NULL, 0, &err))
        fail_msg("%s", err.msg);
    struct tensor_file f = opened(path, TENSORS_LAST, NULL);
    tensor_file_from_torch(&f);
    for (int i = 0; i < f.n; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "",
                 f.item[i].name);
    assert_string_equal(found, ours);
    tensor_file_release(&f);
}

static void spectral_norm_of_pytorch_has_our_names(void **state) {
    static const char *const hooks[] = {"a.weight_orig", "a.weight_u",  "a.weight_v",
                                        "a.bias",        "weight_orig", "weight_u"};
    static const char *const parametrized[] = {"a.parametrizations.weight.original",
                                               "a.parametrizations.weight.0._u",
                                               "a.parametrizations.weight.0._v", "a.bias"};
    static const char *const pruned[] = {"a.weight_orig", "a.weight_mask",
                                         "b.parametrizations."
                                         "weight.original"};
    static const char *const taken[] = {"a.weight", "a.weight_orig", "a.weight_u",
                                        "b.lightweight_orig", "b.lightweight_u"};

    (void)state;
    expect_names(hooks, 6, "a.bias a.weight a.weight_u a.weight_v weight weight_u");
    expect_names(parametrized, 4, "a.bias a.weight a.weight_u a.weight_v");
    expect_names(pruned, 3, "a.weight_mask a.weight_orig b.parametrizations.weight.original");
    expect_names(taken, 5, "a.weight a.weight_orig a.weight_u b.lightweight_orig b.lightweight_u");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_kinds_of_files_give_our_order),
        cmocka_unit_test(without_a_net_names_begin_with_theirs),
        cmocka_unit_test(averages_replace_what_they_are_of),
        cmocka_unit_test(renaming_must_leave_names_apart),
        cmocka_unit_test(a_net_that_is_not_there_is_refused),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(spectral_norm_of_pytorch_has_our_names),
    };

    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
