/* Weights of torchvision's networks give the same loss here. Skipped where Python has no
 * torchvision. */
#include "cmd/torch_case.h"

static const char *python;

/* Files of torchvision as they are: no rule renames anything. */
static void networks_of_torchvision_give_the_same_loss(void **state) {
    static const char *const names[] = {"resnet18", "mobilenet_v2", "shufflenet_v2_x1_0",
                                        "densenet121"};

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct program_run run = program_run(
            "%s $CONFIGS/../tests/support/torch_net.py vision v.safetensors %s", python, names[i]);
        const char *rms = strstr(run.out, "rms="), *loss = strstr(run.out, "loss=");
        if (run.code || !rms || !loss)
            fail_msg("%s: exit code %d\n%s%s", names[i], run.code, run.out, run.err);
        program_write("vision.ini",
                      "[job]\ninclude = %s/%s.ini %s/classify.ini\nmodel = %s(classes=1000)\n"
                      "steps = 1\n[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\n"
                      "augment = image | normalize(mean=0.5, std=0.25)\n[validate]\n"
                      "loss = cross_entropy(model(image) * %.9g, label)\n"
                      "[weights %s]\nfile = v.safetensors\n",
                      DLTRAIN_CONFIGS, names[i], DLTRAIN_CONFIGS, names[i],
                      3 / strtod(rms + 4, NULL), names[i]);
        const double theirs = strtod(loss + 5, NULL), ours = loss_of("$DLTRAIN eval vision.ini");
        program_release(&run);
        if (!(fabs(ours - theirs) <= 1e-4 * (1 + theirs)))
            fail_msg("%s: loss is %g here and %g in torchvision", names[i], ours, theirs);
    }
}

int main(void) {
    python = torch_python("torch, torchvision, h5py");
    if (!python)
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_torchvision_give_the_same_loss),
    };

    return cmocka_run_group_tests(tests, program_setup, program_teardown);
}
