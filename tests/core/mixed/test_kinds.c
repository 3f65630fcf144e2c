/* Where activations are float and sums double, whoever writes one and reads the other as it is
 * computes nonsense. Operators that need no kernels, and so link without them. */
#include "core/ops/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

_Static_assert(sizeof(act) < sizeof(real), "built as mixed");

enum { ROOM = 64 };

/* One operator on four rows of three channels, labels of them, or a table of means. */
struct run {
    union {
        double aligned[ROOM];
        act acts[ROOM];
        real reals[ROOM];
        int32_t indices[ROOM];
    } memory[5], saved[8], scratch[64];
    struct tensor x[2], dx[2];
    struct op_plan plan;
    struct op_call call;
    unsigned char args[64];
};

static const act numbers[12] = {1, -0.5f, 0.25f, 2, 0.5f, -1, 0.125f, 3, 1.5f, -2, 0.75f, 1};
static const act others[12] = {0.5f, 0.25f, 1, 0, 2, -0.5f, 1, 1, 0.25f, -1.25f, 0.5f, 0.5f};
static const int32_t labels[4] = {0, 2, -1, 1};
static const real table[9] = {0.25, 0.125, 0, 0, 0.25, 0.125, 0, 0, 0.25};

/* Numbers of the kind that the operator takes. */
static void fill(struct tensor *t, void *memory, int k) {
    t->memory = memory;
    if (t->kind == TENSOR_INDICES)
        memcpy(memory, labels, sizeof labels);
    else if (t->kind == TENSOR_REALS)
        memcpy(memory, table, sizeof table);
    else
        memcpy(memory, k ? others : numbers, sizeof numbers);
}

static void run_init(struct run *r, const struct op *op, bool of_means) {
    const struct shape rows = {2, {4, 3}}, row = {1, {4}}, matrix = {3, {1, 3, 3}};
    struct shape x[2];
    struct err err = {0};

    memset(r, 0xff, sizeof *r);
    memset(&r->plan, 0, sizeof r->plan);
    assert_true(op->word.args_size <= sizeof r->args);
    word_defaults(&op->word, r->args);
    r->call = (struct op_call){.args = r->args, .x = r->x, .dx = r->dx, .n_x = op->min_x};
    for (int k = 0; k < op->min_x; k++) {
        const enum tensor_kind kind = of_means ? TENSOR_REALS : op_x_kind(op, k);
        x[k] = kind == TENSOR_INDICES ? row : kind == TENSOR_REALS ? matrix : rows;
        r->x[k] = (struct tensor){.shape = x[k], .kind = kind};
        r->dx[k] = (struct tensor){.shape = x[k], .kind = kind};
        fill(&r->x[k], &r->memory[k], k);
    }
    if (op->plan(r->args, x, op->min_x, &r->plan, &err))
        fail_msg("%s", err.msg);
    assert_true(r->plan.saved_bytes <= sizeof r->saved &&
                r->plan.scratch_bytes <= sizeof r->scratch);
    r->call.y =
        (struct tensor){.shape = r->plan.y, .kind = r->plan.y_kind, {.data = r->memory[2].acts}};
    if (of_means)
        r->call.y.kind = TENSOR_REALS;
    r->call.dy = r->call.y;
    r->call.dy.memory = &r->memory[3];
    r->call.saved = r->saved, r->call.scratch = r->scratch;
}

static double sum_of(const struct run *r) {
    double sum = 0;

    for (int64_t i = 0; i < shape_len(&r->call.y.shape); i++)
        sum += r->call.y.kind == TENSOR_REALS     ? r->call.y.reals[i]
               : r->call.y.kind == TENSOR_INDICES ? r->call.y.indices[i]
                                                  : (double)r->call.y.data[i];
    return sum;
}

#define OP(name) extern const struct op op_##name;
OP(accuracy)
OP(bce)
OP(confusion)
OP(cosine)
OP(cross_entropy)
OP(cross_entropy_shares)
OP(dice)
OP(focal)
OP(hinge)
OP(huber)
OP(kl)
OP(l1)
OP(mean)
OP(mse)
OP(mean_iou)
OP(pixel_accuracy)
OP(class_accuracy)
OP(add)
OP(sub)
OP(mul)
OP(sqrt)
OP(square)
OP(detach)
OP(softmax)
OP(argmax)
#undef OP

/* Sums over y, worked by hand; that of cross_entropy from torch.nn.functional.cross_entropy with
 * ignore_index=-1, reduction="sum". */
static void outputs_are_those_of_other_builds(void **state) {
    (void)state;
    static const struct {
        const struct op *op;
        bool of_means;
        double sum;
    } cases[] = {
        {&op_accuracy, false, 1},
        {&op_mse, false, 15.078125},
        {&op_l1, false, 11.625},
        {&op_mean, false, 6.625},
        {&op_confusion, false, 3},
        {&op_cross_entropy, false, 4.622831043598245},
        {&op_cross_entropy_shares, false, 3.939676009789142},
        {&op_hinge, false, 0.25 + 6.5 + 1.25},
        {&op_pixel_accuracy, false, 0.75},
        {&op_mean_iou, false, (2. / 3 + 0.5 + 2. / 3) / 3},
        {&op_class_accuracy, false, 2. / 3 + 2. / 3 + 1},
        {&op_argmax, false, 0 + 0 + 1 + 2},
        {&op_softmax, false, 4},
        {&op_add, true, 2},
        {&op_sub, true, 0},
        {&op_mul, true, 3 * 0.0625 + 2 * 0.015625},
        {&op_square, true, 3 * 0.0625 + 2 * 0.015625},
        {&op_sqrt, true, 1.5 + 2 * 0.35355339059327379},
        {&op_detach, true, 1},
    };
    static struct run r;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_init(&r, cases[i].op, cases[i].of_means);
        cases[i].op->forward(&r.call);
        if (!(fabs(sum_of(&r) - cases[i].sum) <= 1e-6 * (1 + fabs(cases[i].sum))))
            fail_msg("%s: %.9g, not %.9g", cases[i].op->word.name, sum_of(&r), cases[i].sum);
    }
}

/* Steps of 1/64 are exact in float; sums are double. */
static void gradients_agree_with_differences(void **state) {
    (void)state;
    static const struct op *const losses[] = {
        &op_bce,  &op_cosine, &op_cross_entropy, &op_cross_entropy_shares,
        &op_dice, &op_focal,  &op_hinge,         &op_huber,
        &op_kl,   &op_l1,     &op_mean,          &op_mse};
    static struct run r;

    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        act found[12];
        run_init(&r, losses[i], false);
        losses[i]->forward(&r.call);
        r.call.dy.reals[0] = 0.5;
        memset(found, 0, sizeof found);
        r.dx[0].data = found;
        losses[i]->backward(&r.call);
        for (int k = 0; k < 12; k++) {
            const act kept = r.x[0].data[k], step = (act)1 / 64;
            r.x[0].data[k] = kept + step;
            losses[i]->forward(&r.call);
            const double above = sum_of(&r);
            r.x[0].data[k] = kept - step;
            losses[i]->forward(&r.call);
            const double slope = 0.5 * (above - sum_of(&r)) / (2 * (double)step);
            r.x[0].data[k] = kept;
            if (!(fabs(slope - (double)found[k]) <= 1e-3))
                fail_msg("%s: dx[%d] is %.6g, differences give %.6g", losses[i]->word.name, k,
                         (double)found[k], slope);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_those_of_other_builds),
        cmocka_unit_test(gradients_agree_with_differences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
