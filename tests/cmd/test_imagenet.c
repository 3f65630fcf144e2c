/* The jobs of ImageNet on pictures like its own, with small networks. */
#include "cmd/results.h"

static const struct {
    const char *name, *model;
} jobs[] = {
    {"imagenet_resnet", "resnet50(classes=10, width=8)"},
    {"imagenet_resnet_lars", "resnet50(classes=10, width=8)"},
    {"imagenet_resnet18", "resnet18(classes=10, width=8)"},
    {"imagenet_alexnet", "alexnet(classes=10, hidden=64)"},
};

static int setup(void **state) {
    if (program_setup(state))
        return -1;
    program_expect(0, NULL,
                   "mkdir data && $DLTRAIN data synth data/imagenet.h5 --like imagenet --samples "
                   "60 --classes 10");
    return 0;
}

static void every_job_trains_and_is_measured_on_two_ranks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        double losses[3];

        program_expect(0, NULL,
                       "$MPIRUN -np 2 $DLTRAIN $CONFIGS/../jobs/%s.ini --set steps=3 --set "
                       "log.every=1 --set data.batch=8 --set \"job.model=%s\" > said && grep -q "
                       "\"^result: top1=.* loss=.* top5=\" said",
                       jobs[i].name, jobs[i].model);
        assert_int_equal(results_numbers(jobs[i].name, "loss", losses, NULL, 3), 3);
        for (int k = 0; k < 3; k++)
            assert_true(losses[k] > 0 && losses[k] < 20);
    }
}

static void all_of(const struct checkpoint *ck, const char *name, double value) {
    const struct checkpoint_tensor *t = results_tensor(ck, name);

    for (int64_t i = 0; i < shape_len(&t->shape); i++)
        if (fabs((double)t->data[i] - value) > 0)
            fail_msg("%s is %g", name, (double)t->data[i]);
}

/* Weights that nothing has moved. */
static void blocks_of_resnet50_begin_as_their_shortcuts(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN $CONFIGS/../jobs/imagenet_resnet.ini --set steps=1 --set "
                   "data.batch=4 --set name=first --set \"job.model=%s\" --set "
                   "\"step.optimizer=sgd(lr=0)\"",
                   jobs[0].model);
    struct checkpoint *ck = results_open("first", "last.h5");
    all_of(ck, "/nets/resnet50/layer1.0.bn2.weight", 1);
    all_of(ck, "/nets/resnet50/layer1.0.bn3.weight", 0);
    all_of(ck, "/nets/resnet50/layer1.0.downsample.1.weight", 1);
    all_of(ck, "/nets/resnet50/layer4.2.bn3.weight", 0);
    checkpoint_close(ck);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_trains_and_is_measured_on_two_ranks),
        cmocka_unit_test(blocks_of_resnet50_begin_as_their_shortcuts),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
