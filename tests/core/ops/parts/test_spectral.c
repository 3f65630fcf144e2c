/* Spectral normalisation in the operators that offer it. */
#include "support/counted.h"
#include "support/op_check.h"

#include "core/ops/parts/filters.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 4096 };

/* As linear.c lays its arguments out. */
struct linear {
    int channels, bias;
    struct applied init;
    int spectral;
};

/* An operator on counted x (step 5), weights (7) and bias (3), u beginning with steps of 5. */
struct layer {
    const struct op *op;
    struct op_plan plan;
    struct tensor x_at, dx_at;
    struct op_call call;
    real x[ROOM], w[ROOM], bias[64], u[64], v[ROOM], y[ROOM], dy[ROOM], dw[ROOM];
    _Alignas(64) unsigned char saved[8 * ROOM], scratch[1 << 24];
};

static struct layer *layer_new(const char *op, const void *args, struct shape x) {
    struct layer *l = aligned_alloc(64, (sizeof *l + 63) / 64 * 64);
    struct err err = {0};

    assert_non_null(l);
    memset(l, 0, offsetof(struct layer, saved));
    memset(l->saved, 0xff, sizeof l->saved), memset(l->scratch, 0xff, sizeof l->scratch);
    l->op = op_find(op);
    l->plan = (struct op_plan){.batch = x.dim[0], .bias_auto = true};
    if (l->op->plan(args, &x, 1, &l->plan, &err))
        fail_msg("%s", err.msg);
    assert_true(l->plan.scratch_bytes <= sizeof l->scratch);
    assert_true(l->plan.saved_bytes <= sizeof l->saved);
    counted(l->x, shape_len(&x), 5), counted(l->w, shape_len(&l->plan.w[0].shape), 7);
    counted(l->bias, 64, 3), counted(l->u, 64, 5);
    counted(l->dy, shape_len(&l->plan.y), 3);
    l->x_at = (struct tensor){.shape = x, .data = l->x};
    l->dx_at = (struct tensor){.shape = x};
    l->call = (struct op_call){.args = args,
                               .x = &l->x_at,
                               .dx = &l->dx_at,
                               .n_x = 1,
                               .y = {.shape = l->plan.y, .data = l->y},
                               .dy = {.shape = l->plan.y, .data = l->dy},
                               .w = {l->w, l->bias},
                               .dw = {l->dw},
                               .state = {l->u, l->v},
                               .saved = l->saved,
                               .scratch = l->scratch,
                               .training = true};
    return l;
}

static void near(const char *what, const real *found, const real *expected, int64_t len) {
    for (int64_t i = 0; i < len; i++)
        if (!(fabs(found[i] - expected[i]) <= 1e-9))
            fail_msg("%s[%d] is %.12g, not %.12g", what, (int)i, found[i], expected[i]);
}

static void check_golden(const char *op, const void *args, struct shape x, int steps, const real *y,
                         const real *u, const real *dw, const real *v, const real *y_after) {
    struct layer *l = layer_new(op, args, x);

    for (int i = 0; i < steps; i++)
        l->op->forward(&l->call);
    near("y", l->y, y, shape_len(&l->plan.y));
    near("u", l->u, u, l->plan.state[0].shape.dim[0]);
    near("v", l->v, v, l->plan.state[1].shape.dim[0]);
    l->op->backward(&l->call);
    near("dw", l->dw, dw, shape_len(&l->plan.w[0].shape));
    counted(l->w, shape_len(&l->plan.w[0].shape), 2);
    l->call.training = false;
    l->op->forward(&l->call);
    near("y in evaluation", l->y, y_after, shape_len(&l->plan.y));
    free(l);
}

static struct filters filters(const char *op) {
    struct filters a;

    word_defaults(&op_find(op)->word, &a);
    a.spectral = 1;
    a.kernel = a.stride = (struct ints){1, {2}};
    a.pad = (struct ints){1, {0}};
    return a;
}

static void linear_as_pytorch(void **state) {
    const struct linear a = {.channels = 3, .spectral = 1};
    static const real y[] = {
        -0.718568672962, -1.63042492521, -1.52114058873,
        -2.08008945794,  -1.81062620558, -0.520022364485,
    };
    static const real u[] = {
        -0.987403943481,
        0.152596319139,
        0.0418068867992,
    };
    static const real dw[] = {
        0.753503049223,  0.882482173307,  0.342710424024,  0.452620971614, 0.720568519833,
        0.826337658831,  -0.397498799911, -0.770588464615, -1.06385341051, -0.970765864066,
        -0.890406938492, -0.568693339139, 1.24253613061,   0.681857843261, 0.604537357723,
    };

    static const real v[] = {
        0.76122885102, 0.184605193096, -0.0908632517799, -0.274730319354, -0.55019876423,
    };
    static const real after[] = {
        0.45444988848,  0.193794052047, -0.0668617843859,
        -3.94912197026, -3.34350137547, -2.73788078067,
    };

    (void)state;
    check_golden("linear", &a, (struct shape){2, {2, 5}}, 2, y, u, dw, v, after);
}

static void conv_as_pytorch(void **state) {
    struct filters a = filters("conv");
    static const real y[] = {
        -1.20172780597, 0.010429780046, -1.99150857305,
        -2.65122205302, 0.262515736055, -2.18057304006,
    };
    static const real u[] = {
        -0.984727231752,
        -0.103392190294,
        0.140079741689,
    };
    static const real dw[] = {
        0.260035638967,  0.562780740226,  0.190299357728, 0.448438006037,  0.554724587322,
        0.584086632483,  0.188208880945,  0.499564027113, 1.04169278165,   -1.1020892534,
        -1.05474022811,  -0.904825154649, 1.49465578961,  0.675708066748,  0.267024536546,
        -0.111467811963, 0.479234284621,  0.916087308957, -0.728818708068, -1.00441335964,
        -1.12615893897,  1.1949790967,    0.655378324257, 0.141419063851,
    };

    static const real v[] = {
        0.783909170776,  -0.267918324189, -0.476299243003, -0.178612216126,
        0.0893061080631, -0.119074810751, 0.178612216126,  -0.0297687026877,
    };
    static const real after[] = {
        -1.72175621363, -2.2238532523, -2.72595029097, 7.39072779002, 8.83633725594, 3.18673016941,
    };

    (void)state;
    a.channels = 3;
    check_golden("conv", &a, (struct shape){4, {1, 4, 2, 2}}, 1, y, u, dw, v, after);
}

static void conv_transpose_as_pytorch(void **state) {
    struct filters a = filters("conv_transpose");
    static const real y[] = {
        -0.867673869848, -1.12100082062,  -2.38699753815, -1.42199890585,
        -2.73099534984,  -1.86632941261,  -2.50166347538, -0.418671955078,
        -2.68799562338,  -0.992001641231, -2.25799835877, -1.29299972646,
        -1.05400601785,  -1.89499589692,  -2.53032995969, -0.447338439386,
    };
    static const real u[] = {
        -0.94317552501,
        0.332294942819,
    };
    static const real dw[] = {
        0.674004832494,  0.065815250795,  -0.000310255609179, 1.50277966985,   -0.289653278842,
        -0.224020187201, -0.37120960492,  0.909989651135,     -0.235460894389, -0.551857946721,
        0.130104557534,  0.0914236353785, -0.0716984064245,   0.388174169279,  0.107050030568,
        -0.67676331219,  0.158883537037,  0.00951799637079,   -0.564847403973, 0.0140229865446,
        -0.128100608212, -0.61931784838,  -0.639684209662,    0.32496181895,
    };

    static const real v[] = {
        0.665387909463,    -0.105061248863, -0.429000099522, -0.00875510407188,
        -0.00875510407188, -0.332693954732, 0.0875510407188, -0.236387809941,
        -0.236387809941,   0.18385718551,   -0.14008166515,  0.2801633303,
    };
    static const real after[] = {
        2.05660975438,  -0.153618985304, -3.86384772498, 2.31323829776,
        -3.4252953191,  -2.01746671029,  -2.10963810147, -2.56565721764,
        -1.39699044192, -5.47106690658,  1.06986684115,  -1.14036189853,
        -2.65782860882, -1.25,           -3.20601911617, -1.79819050735,
    };

    (void)state;
    a.channels = 2;
    check_golden("conv_transpose", &a, (struct shape){4, {1, 1, 2, 3}}, 1, y, u, dw, v, after);
}

/* Where u and v are singular vectors, moving them changes the singular value in second order only:
 * differences see the gradient with u and v constant. */
static void check_converged(const char *op, const void *args, struct shape x) {
    struct layer *l = layer_new(op, args, x);
    struct op_case c = {.op = op, .args = args, .n_x = 1, .x = {x}};

    for (int i = 0; i < 2000; i++)
        l->op->forward(&l->call);
    c.w_data[0] = l->w, c.state_data[0] = l->u, c.state_data[1] = l->v;
    c.tolerance = 1e-5; /* u, moved by one difference, is not quite right for the next */
    check_gradients(&c);
    c.evaluate = true;
    c.tolerance = 0;
    check_gradients(&c);
    free(l);
}

static void gradients_agree_with_differences(void **state) {
    const struct linear a = {.channels = 4, .spectral = 1};
    struct filters conv = filters("conv"), transposed = filters("conv_transpose");

    (void)state;
    check_converged("linear", &a, (struct shape){2, {3, 6}});
    conv.channels = transposed.channels = 4;
    conv.groups = transposed.groups = 2;
    check_converged("conv", &conv, (struct shape){4, {2, 4, 5, 2}});
    check_converged("conv_transpose", &transposed, (struct shape){4, {2, 2, 3, 6}});
    check_converged("conv_transpose", &transposed, (struct shape){5, {1, 2, 1, 2, 4}});
}

/* Weights diag(3, 1) and u = (1, 0): the largest singular value is 3. */
static void weights_have_norm_one(void **state) {
    const struct linear a = {.channels = 2, .bias = 2, .spectral = 1};
    const real w[] = {3, 0, 0, 1}, u[] = {1, 0};
    const act x[] = {1, 2, -3, 4}, y[] = {1, 2.0 / 3, -3, 4.0 / 3};

    (void)state;
    check_output(&(struct op_case){.op = "linear",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{2, {2, 2}}},
                                   .x_data = {x},
                                   .w_data = {w},
                                   .state_data = {u}},
                 (struct shape){2, {2, 2}}, y);
}

static void evaluation_leaves_u_and_v_alone(void **state) {
    const struct linear a = {.channels = 2, .bias = 2, .spectral = 1};
    const real w[] = {1, 2, 3, 4}, u[] = {0.5, 2}; /* of any length */
    struct op_case c = {.op = "linear",
                        .args = &a,
                        .n_x = 1,
                        .x = {{2, {2, 2}}},
                        .w_data = {w},
                        .state_data = {u},
                        .evaluate = true};
    const double norm = sqrt(33 * 33 + 47 * 47);
    const real moved[] = {33 / norm, 47 / norm}; /* W u = (4.5, 9.5), W^T of that = (33, 47) */

    (void)state;
    const real none[] = {0, 0};
    check_state(&c, 0, u);
    check_state(&c, 1, none);
    c.evaluate = false;
    check_state(&c, 0, moved);
}

/* As after reading a file that has u alone: v = (1, 0) and the singular value 3 follow from it. */
static void without_v_it_follows_from_u(void **state) {
    const struct linear a = {.channels = 2, .bias = 2, .spectral = 1};
    const real w[] = {3, 0, 0, 1}, u[] = {2, 0};
    const act x[] = {1, 2, -3, 4}, y[] = {1, 2.0 / 3, -3, 4.0 / 3};

    (void)state;
    check_output(&(struct op_case){.op = "linear",
                                   .args = &a,
                                   .n_x = 1,
                                   .x = {{2, {2, 2}}},
                                   .x_data = {x},
                                   .w_data = {w},
                                   .state_data = {u},
                                   .evaluate = true},
                 (struct shape){2, {2, 2}}, y);
}

static void u_begins_with_normal_draws(void **state) {
    const struct linear a = {.channels = 4000, .spectral = 1};
    const struct shape x = {2, {1, 1}};
    struct op_plan plan = {.batch = 1, .bias_auto = true};
    struct err err = {0};
    static real u[4000];
    double square = 0;

    (void)state;
    assert_int_equal(op_find("linear")->plan(&a, &x, 1, &plan, &err), 0);
    assert_string_equal(plan.state[0].name, "weight_u");
    assert_int_equal(plan.state[0].shape.dim[0], 4000);
    assert_string_equal(plan.state[1].name, "weight_v");
    assert_int_equal(plan.state[1].shape.dim[0], 1);
    init_fill(&plan.state[0].init, 1, 1, 5, u, 4000);
    for (int i = 0; i < 4000; i++)
        square += u[i] * u[i];
    assert_true(fabs(square / 4000 - 1) < 0.1);
}

static void without_it_nothing_is_kept(void **state) {
    const struct linear a = {.channels = 4};
    const struct shape x = {2, {1, 1}};
    struct op_plan plan = {.batch = 1};
    struct err err = {0};

    (void)state;
    assert_int_equal(op_find("linear")->plan(&a, &x, 1, &plan, &err), 0);
    assert_int_equal(plan.state[0].shape.rank, 0);
    assert_true(plan.saved_bytes == 0 && plan.scratch_bytes == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_as_pytorch),
        cmocka_unit_test(conv_as_pytorch),
        cmocka_unit_test(conv_transpose_as_pytorch),
        cmocka_unit_test(gradients_agree_with_differences),
        cmocka_unit_test(weights_have_norm_one),
        cmocka_unit_test(evaluation_leaves_u_and_v_alone),
        cmocka_unit_test(without_v_it_follows_from_u),
        cmocka_unit_test(u_begins_with_normal_draws),
        cmocka_unit_test(without_it_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
