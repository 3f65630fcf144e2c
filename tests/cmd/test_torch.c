/* The same weights give the same loss in PyTorch and here. Skipped where Python has no torch and no
 * h5py. */
#include "cmd/torch_case.h"

static const char *python;

static int setup(void **state) {
    if (program_setup(state))
        return -1;
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
    program_write("torch.ini", "[job]\ninclude = net.ini\n[weights net]\nfile = a.safetensors\n");
    equal("$DLTRAIN eval torch.ini", "make a.safetensors");
}

static void our_weights_mean_the_same_in_pytorch(void **state) {
    (void)state;
    program_expect(0, NULL,
                   "$DLTRAIN net.ini && $DLTRAIN convert runs/net/last.h5 ours.safetensors");
    equal("$DLTRAIN eval net.ini --weights runs/net/last.h5", "load ours.safetensors");
}

/* Evaluation divides by u^T W v of the vectors in the file, which training has moved one step. */
static void spectral_norm_means_the_same_in_both(void **state) {
    (void)state;
    program_write("torch.ini",
                  "[job]\ninclude = spectral.ini\n[weights net]\nfile = s.safetensors\n");
    program_expect(0, NULL,
                   "sed \"s/bias=false/bias=false, spectral=true/; s/bias=true/spectral=true/; "
                   "s/stride=2) | relu$/stride=2, spectral=true) | relu/; "
                   "s/linear(classes)/linear(classes, spectral=true)/\" net.ini > spectral.ini");
    equal("$DLTRAIN eval torch.ini", "make s.safetensors hooks");
    equal("$DLTRAIN eval torch.ini", "make s.safetensors parametrizations");
    program_expect(0, NULL,
                   "$DLTRAIN spectral.ini && $DLTRAIN convert runs/spectral/last.h5 o.safetensors");
    equal("$DLTRAIN eval runs/spectral", "load o.safetensors hooks");
}

int main(void) {
    python = torch_python("torch, h5py");
    if (!python)
        return 77;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_pytorch_mean_the_same_here),
        cmocka_unit_test(our_weights_mean_the_same_in_pytorch),
        cmocka_unit_test(spectral_norm_means_the_same_in_both),
    };

    return cmocka_run_group_tests(tests, setup, program_teardown);
}
