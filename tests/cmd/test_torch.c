/* The same weights give the same loss in PyTorch and here. Skipped where Python has no torch and no
 * h5py. */
#include "support/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *python; /* NULL: none has torch */

static int setup(void **state) {
    static const char *const pythons[] = {"python3", "/usr/bin/python3"};

    if (program_setup(state))
        return -1;
    for (int i = 0; i < 2 && !python; i++) {
        struct program_run run = program_run("%s -c \"import torch, h5py\"", pythons[i]);
        if (!run.code)
            python = pythons[i];
        program_release(&run);
    }
    program_write("net.ini",
                  "[job]\ninclude = %s/classify.ini\nmodel = net(classes=10)\nsteps = 5\n"
                  "[net net(image, classes)]\n"
                  "x = image | conv(8, 3, stride=2, bias=false, name=conv1) | bn(name=bn1) | relu\n"
                  "conv2 = x | conv(8, 3, groups=4, bias=true) | relu\n"
                  "up = conv2 | conv_transpose(6, 2, stride=2) | relu\n"
                  "fc = up | maxpool(4) | flatten | linear(classes)\n"
                  "[data]\ntrain = shapes.h5:train\nvalidate = shapes.h5:test\nbatch = 24\n"
                  "augment = image | normalize(mean=0.5, std=0.25)\n",
                  DLTRAIN_CONFIGS);
    return 0;
}

/* The number behind "loss=" in what a command prints. */
static double loss_of(const char *command) {
    struct program_run run = program_run("%s", command);
    const char *at = strstr(run.out, "loss=");

    if (run.code || !at)
        fail_msg("%s\nexit code %d\n%s%s", command, run.code, run.out, run.err);
    const double loss = strtod(at + 5, NULL);
    program_release(&run);
    return loss;
}

static void equal(const char *ours, const char *command) {
    char theirs[256];

    snprintf(theirs, sizeof theirs, "%s $CONFIGS/../tests/support/torch_net.py %s", python,
             command);
    const double b = loss_of(theirs), a = loss_of(ours);
    if (!(fabs(a - b) <= 1e-4 * (1 + b)))
        fail_msg("loss is %g here and %g in PyTorch", a, b);
}

static void weights_of_pytorch_mean_the_same_here(void **state) {
    (void)state;
    if (!python) {
        print_message("no Python with torch and h5py: skipped\n");
        skip();
    }
    program_write("torch.ini", "[job]\ninclude = net.ini\n[weights net]\nfile = a.safetensors\n");
    equal("$DLTRAIN eval torch.ini", "make a.safetensors");
}

static void our_weights_mean_the_same_in_pytorch(void **state) {
    (void)state;
    if (!python)
        skip();
    program_expect(0, NULL,
                   "$DLTRAIN net.ini && $DLTRAIN convert runs/net/last.h5 ours.safetensors");
    equal("$DLTRAIN eval net.ini --weights runs/net/last.h5", "load ours.safetensors");
}

/* Files of torchvision as they are: no rule renames anything. */
static void networks_of_torchvision_give_the_same_loss(void **state) {
    static const char *const names[] = {"resnet18", "mobilenet_v2", "shufflenet_v2_x1_0",
                                        "densenet121"};

    (void)state;
    struct program_run has = program_run("%s -c \"import torchvision\"", python ? python : "false");
    if (has.code) {
        print_message("no Python with torchvision: skipped\n");
        program_release(&has);
        skip();
    }
    program_release(&has);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_pytorch_mean_the_same_here),
        cmocka_unit_test(our_weights_mean_the_same_in_pytorch),
        cmocka_unit_test(networks_of_torchvision_give_the_same_loss),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
