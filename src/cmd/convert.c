/* dltrain convert: networks and weights from one kind of file to another. */
#include "cmd/convert.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "dist/launch.h"
#include "export/export.h"
#include "io/file/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct command command_convert;

/* --- the command line --- */

static int read_rules(struct conversion *c, const char *option, const char *text, bool arrows,
                      struct renames *rules, struct err *err) {
    struct err inner = {0};

    if (rename_parse(rules, &c->pool, text, arrows, &inner))
        return err_set(err, ERR_USAGE, "convert: --%s: %s", option, inner.msg);
    return 0;
}

static int read_rename(void *to, const char *text, struct err *err) {
    struct conversion *c = to;

    return read_rules(c, "rename", text, true, &c->renames, err);
}

static int read_skip(void *to, const char *text, struct err *err) {
    struct conversion *c = to;

    return read_rules(c, "skip", text, false, &c->skips, err);
}

static int read_only(void *to, const char *text, struct err *err) {
    struct conversion *c = to;

    return read_rules(c, "only", text, false, &c->onlys, err);
}

static int read_plain(void *to, const char *text, struct err *err) {
    struct conversion *c = to;

    return read_rules(c, "plain", text, false, &c->plains, err);
}

static int read_batch(void *to, const char *text, struct err *err) {
    struct conversion *c = to;
    char *end;
    const long long n = strtoll(text, &end, 10);

    if (strcmp(text, "dynamic") && (*end || end == text || n < 1 || n > INT32_MAX))
        return err_set(err, ERR_USAGE,
                       "convert: --batch: found '%s', expected dynamic or a number of samples",
                       text);
    c->batch = strcmp(text, "dynamic") ? n : 0;
    return 0;
}

static const struct option_spec options[] = {
    {"net", OPTION_TEXT, .offset = offsetof(struct conversion, net)},
    {"job", OPTION_TEXT, .offset = offsetof(struct conversion, job)},
    {"partial", OPTION_FLAG, .offset = offsetof(struct conversion, partial)},
    {"rename", OPTION_READ, .read = read_rename},
    {"skip", OPTION_READ, .read = read_skip},
    {"only", OPTION_READ, .read = read_only},
    {"plain", OPTION_READ, .read = read_plain},
    {"weights", OPTION_TEXT, .offset = offsetof(struct conversion, weights)},
    {"opset", OPTION_WHOLE, .offset = offsetof(struct conversion, opset), .min = ONNX_OPSET_MIN,
     .max = ONNX_OPSET_MAX},
    {"batch", OPTION_READ, .read = read_batch},
    {"fold-bn", OPTION_FLAG, .offset = offsetof(struct conversion, fold)},
    {"with-normalize", OPTION_FLAG, .offset = offsetof(struct conversion, normalize)},
    {"ema", OPTION_FLAG, .offset = offsetof(struct conversion, ema)},
    {"help", OPTION_FLAG, .offset = offsetof(struct conversion, help)},
    {0},
};

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end) {
    const size_t len = strlen(text), end_len = strlen(end);

    return end_len && len > end_len && !strcmp(text + len - end_len, end);
}

static const struct convert_format formats[] = {
    {".h5", .tensors = true, .write = convert_to_checkpoint},
    {".safetensors", .tensors = true, .write = convert_to_safetensors},
    {".npz", .tensors = true, .write = convert_to_npz},
    {".npy", .tensors = true, .write = convert_to_npy},
    {".weights", .weighed = true, .write = convert_to_darknet},
    {".onnx", .weighed = true, .write = convert_to_onnx},
    {".ini", .of_onnx = true, .write = convert_from_onnx},
    {"", .of_onnx = true, .write = convert_from_onnx}, /* a folder */
};

enum { N_FORMATS = sizeof formats / sizeof *formats };

/* IN.onnx becomes a job; what it is not made into ends otherwise. */
static int find_format(struct conversion *c, struct err *err) {
    const bool of_onnx = ends_with(c->in, ".onnx");
    const char *ends = "";

    for (int i = 0; i < N_FORMATS && !c->format; i++) {
        const struct convert_format *f = &formats[i];
        if (f->of_onnx != of_onnx)
            continue;
        if (ends_with(c->out, f->end) || (!*f->end && !strchr(file_name(c->out), '.')))
            c->format = f;
        ends = pool_print(&c->pool, "%s%sOUT%s", ends, *ends ? ", " : "", f->end);
    }
    if (!c->format)
        return err_set(err, ERR_USAGE,
                       "convert: found '%s', expected one of %s%s: its end says what to write",
                       c->out, ends, of_onnx ? " (a folder)" : "");
    return 0;
}

/* Options that mean nothing to what is written or read. */
static int check_options(const struct conversion *c, struct err *err) {
    const bool tensors = c->renames.n || c->skips.n || c->onlys.n || c->plains.n || c->ema;
    const bool onnx = c->batch || c->fold || c->normalize || c->opset != ONNX_OPSET_MAX;

    if (c->weights && !c->format->weighed)
        return err_set(err, ERR_USAGE,
                       "convert: --weights is for OUT.onnx and OUT.weights, found %s", c->out);
    if (onnx && c->format->write != convert_to_onnx)
        return err_set(
            err, ERR_USAGE,
            "convert: --opset, --batch, --fold-bn and --with-normalize are for OUT.onnx, "
            "found %s",
            c->out);
    if (!c->format->tensors && tensors)
        return err_set(
            err, ERR_USAGE,
            "convert: --rename, --skip, --only, --plain and --ema are for weights alone, found %s",
            c->out);
    if (!c->format->tensors && (c->job || c->partial))
        return err_set(err, ERR_USAGE,
                       "convert: --job and --partial are for IN.weights to tensors, found %s",
                       c->out);
    if (c->partial && !c->job)
        return err_set(err, ERR_USAGE, "convert: --partial is for weights of Darknet, with --job");
    if (c->format->tensors && !c->job && ends_with(c->in, ".weights"))
        return err_set(err, ERR_USAGE,
                       "convert: %s has neither names nor shapes; expected --job JOB.ini, which "
                       "describes its net",
                       c->in);
    return 0;
}

static int read_arguments(struct conversion *c, int argc, char **argv, struct err *err) {
    const int first = options_read(c, options, "convert", argc, argv, err);

    if (first < 0)
        return -1;
    if (c->help)
        return 0;
    if (argc - first != 2)
        return err_set(err, ERR_USAGE,
                       "convert: found %d files, expected IN and OUT; see dltrain help convert",
                       argc - first);
    c->in = argv[first];
    c->out = argv[first + 1];
    if (find_format(c, err) || check_options(c, err))
        return -1;
    if (c->net && c->format->of_onnx)
        return err_set(err, ERR_USAGE, "convert: --net: an ONNX file holds one network");
    if (c->net && (!*c->net || strchr(c->net, '/') || c->net[0] == '.'))
        return err_set(err, ERR_USAGE, "convert: --net is '%s', expected the name of a net",
                       c->net);
    return *c->format->end ? file_check_target(c->out, &c->in, 1, err) : 0;
}

static int convert(struct conversion *c, struct err *err) {
    if (c->format->tensors && convert_gather(c, err))
        return -1;
    if (c->format->write(c, err))
        return -1;
    if (c->format->tensors)
        convert_print(c);
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    struct conversion c = {.opset = ONNX_OPSET_MAX};

    if (launch_rank(getenv) > 0) /* one of them does it */
        return 0;
    int rc = read_arguments(&c, argc, argv, err);
    if (!rc && c.help)
        printf("%s\n\n%s", command_convert.summary, command_convert.usage);
    else if (!rc)
        rc = convert(&c, err);
    for (int i = 0; c.data && i < c.file.n; i++)
        free(c.data[i]);
    for (int i = 0; i < c.n_read; i++)
        free(c.read[i]);
    npy_release(&c.arrays);
    tensor_file_release(&c.file);
    pool_release(&c.pool);
    return rc;
}

const struct command command_convert = {
    .name = "convert",
    .summary = "bring networks and weights to other programs (ONNX, safetensors, Darknet) and back",
    .usage =
        "dltrain convert IN OUT [options]\n"
        "\n"
        "  To OUT.h5, OUT.safetensors, OUT.npz or OUT.npy, weights: IN is a run's folder, a\n"
        "  checkpoint, safetensors, .npz or .npy. They change between our order and PyTorch's,\n"
        "  which the last three have; the numbers stay the same to the bit.\n"
        "  Those of spectral=true are weight_orig, weight_u and weight_v there.\n"
        "\n"
        "  IN may be weights of Darknet, too, with a job that describes their net: the numbers "
        "are\n"
        "  those of its layers in the order of its text.\n"
        "\n"
        "  --job JOB.ini          the job whose net they are for; --net says which\n"
        "  --partial              they may end after any layer, as those of a network's first "
        "part\n"
        "  --net NAME             the net to take from a checkpoint (default: all, and of several\n"
        "                         the names begin with NET.); its name in OUT.h5\n"
        "  --rename 'OLD -> NEW'  OLD: a name, its beginning in whole parts, or a text with one "
        "*;\n"
        "                         of several rules the first that fits applies; an empty NEW\n"
        "                         removes the beginning\n"
        "  --skip PATTERN         leave out, by names in IN: like OLD\n"
        "  --only PATTERN         take these and no others; OUT.npy is of one tensor\n"
        "  --plain PATTERN        these are tables (embedding), with the same order in both\n"
        "  --ema                  averaged weights in place of the last ones\n"
        "\n"
        "  To OUT.onnx, a network: IN is a run's folder, a checkpoint of it, or a job, JOB.ini. "
        "The\n"
        "  file computes what validation computes, with images as [batch, channels, height, "
        "width];\n"
        "  docs/onnx.md says how to run it.\n"
        "\n"
        "  --net NAME             which net (default: the only one, or the model)\n"
        "  --weights FILE         weights for JOB.ini: a checkpoint or safetensors; without it "
        "those\n"
        "                         of its [weights], or as they are before training\n"
        "  --fold-bn              batch norm becomes part of the weights before it\n"
        "  --with-normalize       the input is what `normalize` gets, pixels from 0 to 1\n"
        "  --batch N|dynamic      samples at a time (default dynamic: any number)\n"
        "  --opset N              version of the operators, 13 to 17 (default 17)\n"
        "\n"
        "  To OUT.weights, for Darknet: IN as for OUT.onnx, --net and --weights likewise.\n"
        "\n"
        "  IN.onnx becomes a job, OUT.ini or in the folder OUT, and beside it its weights,\n"
        "  .safetensors: `include` it in a job that says the steps.\n"
        "\n"
        "  dltrain convert runs/cifar10 resnet20.onnx --with-normalize\n"
        "  dltrain convert resnet50.onnx networks/resnet50.ini\n"
        "  dltrain convert jobs/imagenet_resnet18.ini resnet18.onnx --weights "
        "resnet18.safetensors\n"
        "  dltrain convert runs/cifar10/best.h5 resnet20.safetensors\n"
        "  dltrain convert yolov3.weights yolov3.safetensors --job jobs/yolov3.ini\n"
        "  dltrain convert runs/cells cells.weights\n"
        "  dltrain convert runs/gan/last.h5 generator.safetensors --net generator --ema\n"
        "  dltrain convert resnet18.safetensors resnet18.h5 --net resnet18 \\\n"
        "      --rename 'fc -> head' --rename '*.downsample.0.weight -> *.skip.conv.weight'\n"
        "\n"
        "  Weights of torchvision, in Python:\n"
        "    import torchvision, safetensors.torch\n"
        "    net = torchvision.models.resnet18(weights=\"DEFAULT\")\n"
        "    safetensors.torch.save_file(net.state_dict(), \"resnet18.safetensors\")\n"
        "  and back:\n"
        "    net.load_state_dict(safetensors.torch.load_file(\"ours.safetensors\"))\n"
        "\n"
        "  A job reads both kinds of files as they are: section [weights NET], key file.\n",
    .run = run,
};
