/* dltrain convert: weights from checkpoints to safetensors, in PyTorch's order, and back. */
#include "cmd/command.h"
#include "cmd/options.h"
#include "dist/launch.h"
#include "io/file/file.h"
#include "io/weights/checkpoint.h"
#include "io/weights/layout.h"
#include "io/weights/safetensors.h"
#include "io/weights/tensor_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct skipped {
    const char *name, *why;
};

struct conversion {
    const char *in, *out;
    bool to_checkpoint;
    const char *net; /* --net, or NULL */
    struct renames renames, skips, plains;
    bool ema, help;
    struct tensor_file file;
    float **data; /* [file.n] in our order; owned */
    struct skipped *skipped;
    int n_skipped;
    struct pool pool;
};

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

static int read_plain(void *to, const char *text, struct err *err) {
    struct conversion *c = to;

    return read_rules(c, "plain", text, false, &c->plains, err);
}

static const struct option_spec options[] = {
    {"net", OPTION_TEXT, .offset = offsetof(struct conversion, net)},
    {"rename", OPTION_READ, .read = read_rename},
    {"skip", OPTION_READ, .read = read_skip},
    {"plain", OPTION_READ, .read = read_plain},
    {"ema", OPTION_FLAG, .offset = offsetof(struct conversion, ema)},
    {"help", OPTION_FLAG, .offset = offsetof(struct conversion, help)},
    {0},
};

static bool ends_with(const char *text, const char *end) {
    const size_t len = strlen(text), end_len = strlen(end);

    return len > end_len && !strcmp(text + len - end_len, end);
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
    c->to_checkpoint = ends_with(c->out, ".h5");
    if (!c->to_checkpoint && !ends_with(c->out, ".safetensors"))
        return err_set(err, ERR_USAGE,
                       "convert: found '%s', expected OUT.h5 or OUT.safetensors: its end says what "
                       "to write",
                       c->out);
    if (c->net && (!*c->net || strchr(c->net, '/') || c->net[0] == '.'))
        return err_set(err, ERR_USAGE, "convert: --net is '%s', expected the name of a net",
                       c->net);
    return file_check_target(c->out, &c->in, 1, err);
}

/* --- what is to be converted --- */

static int select_net(struct conversion *c, struct err *err) {
    struct tensor_file *f = &c->file;

    if (f->ck && c->plains.n)
        return err_set(err, ERR_USAGE,
                       "convert: --plain is for safetensors; %s says itself what is a table",
                       c->in);
    if (f->st && c->to_checkpoint && !c->net)
        return err_set(err, ERR_USAGE,
                       "convert: found no --net NAME, expected the name that the net is to have in "
                       "%s",
                       c->out);
    if (f->st && !c->to_checkpoint && c->net)
        return err_set(err, ERR_USAGE, "convert: --net is for checkpoints; neither file is one");
    if (tensor_file_select(f, f->ck ? c->net : NULL, err))
        return -1;
    if (c->to_checkpoint && !c->net && !f->net)
        return err_set(err, ERR_USAGE,
                       "convert: %s holds several nets: %s; --net says which one to take", c->in,
                       tensor_file_nets(f));
    if (!c->net)
        c->net = f->net;
    return 0;
}

/* Leave out what is unwanted or cannot be read; mark what is a table. */
static void leave_out(struct conversion *c) {
    struct tensor_file *f = &c->file;
    int n = 0;

    for (int i = 0; i < f->n; i++) {
        struct tensor_item item = f->item[i];
        const bool skip = rename_match(&c->skips, item.name);
        const char *why = item.why ? item.why : skip ? "--skip" : NULL;
        if (rename_match(&c->plains, item.name) && item.shape.rank > 1)
            item.plain = true;
        if (!why) {
            f->item[n++] = item;
            continue;
        }
        c->skipped = pool_grow(&c->pool, c->skipped, c->n_skipped, sizeof *c->skipped);
        c->skipped[c->n_skipped++] = (struct skipped){item.name, why};
    }
    f->n = n;
}

static int check_used(const struct renames *rules, const char *option, const char *in,
                      struct err *err) {
    const struct rename_rule *idle = rename_unused(rules);

    return idle ? err_set(err, ERR_USAGE, "convert: --%s '%s%s%s' fits nothing in %s", option,
                          idle->old, idle->new ? " -> " : "", idle->new ? idle->new : "", in)
                : 0;
}

/* Names become those of datasets. */
static int check_names(const struct conversion *c, struct err *err) {
    for (int i = 0; i < c->file.n && c->to_checkpoint; i++) {
        const char *name = c->file.item[i].name;
        if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
            return err_set(err, ERR_DATA,
                           "%s: '%s' cannot be a name in a checkpoint; --rename gives another",
                           c->in, name);
    }
    return 0;
}

static int gather(struct conversion *c, struct err *err) {
    struct tensor_file *f = &c->file;

    if (tensor_file_open(f, c->in, c->ema ? TENSORS_AVERAGED : TENSORS_LAST, err) ||
        select_net(c, err))
        return -1;
    leave_out(c);
    if (tensor_file_rename(f, &c->renames, err) || check_used(&c->renames, "rename", c->in, err) ||
        check_used(&c->skips, "skip", c->in, err) || check_used(&c->plains, "plain", c->in, err) ||
        check_names(c, err))
        return -1;
    if (f->st && c->to_checkpoint)
        tensor_file_from_torch(f);
    if (f->ck && !c->to_checkpoint)
        tensor_file_to_torch(f);
    if (!f->n)
        return err_set(err, ERR_DATA, "%s: there is nothing left to convert", c->in);
    c->data = pool_take(&c->pool, (size_t)f->n * sizeof *c->data);
    for (int i = 0; i < f->n; i++) {
        const struct tensor_item *item = &f->item[i];
        if (!(c->data[i] = malloc((size_t)shape_len(&item->shape) * sizeof **c->data)))
            return err_set(err, ERR_IO, "%s: not enough memory to read it", c->in);
        if (tensor_file_read(f, item, item->plain, c->data[i], err))
            return -1;
    }
    return 0;
}

/* --- what is written --- */

static struct shape our_shape(const struct conversion *c, const struct tensor_item *item) {
    return c->file.ck || item->plain ? item->shape : layout_from_torch(&item->shape);
}

static struct shape written_shape(const struct conversion *c, const struct tensor_item *item) {
    const struct shape ours = our_shape(c, item);

    return c->to_checkpoint || item->plain ? ours : layout_to_torch(&ours);
}

static int write_checkpoint(struct conversion *c, struct err *err) {
    const struct tensor_file *f = &c->file;
    struct checkpoint_tensor *t = pool_take(&c->pool, (size_t)f->n * sizeof *t);
    json_t *meta = json_pack("{s:s}", "converted_from", c->in);
    char *text = meta ? json_dumps(meta, 0) : NULL;

    for (int i = 0; i < f->n; i++)
        t[i] =
            (struct checkpoint_tensor){pool_print(&c->pool, "/nets/%s/%s", c->net, f->item[i].name),
                                       our_shape(c, &f->item[i]), c->data[i], f->item[i].plain};
    const int rc = checkpoint_write(c->out, t, f->n, text ? text : "{}", err);
    free(text);
    json_decref(meta);
    return rc;
}

/* The data of a tensor in PyTorch's order, in place of ours. */
static int turn(struct conversion *c, int i, struct err *err) {
    const struct tensor_item *item = &c->file.item[i];
    const struct shape ours = our_shape(c, item);

    if (item->plain || ours.rank < 2)
        return 0;
    float *turned = malloc((size_t)shape_len(&ours) * sizeof *turned);
    if (!turned)
        return err_set(err, ERR_IO, "%s: not enough memory to write it", c->out);
    layout_write_torch(&ours, c->data[i], turned);
    free(c->data[i]);
    c->data[i] = turned;
    return 0;
}

static int write_safetensors(struct conversion *c, struct err *err) {
    const struct tensor_file *f = &c->file;
    struct safetensor_out *t = pool_take(&c->pool, (size_t)f->n * sizeof *t);
    const char *plain = "";

    for (int i = 0; i < f->n; i++) {
        if (turn(c, i, err))
            return -1;
        t[i] = (struct safetensor_out){f->item[i].name, written_shape(c, &f->item[i]), c->data[i]};
        if (f->item[i].plain)
            plain = pool_print(&c->pool, "%s%s\n", plain, f->item[i].name);
    }
    const struct safetensors_text meta[] = {{"format", "pt"}, {"dltrain.plain", plain}};
    return safetensors_write(c->out, t, f->n, meta, *plain ? 2 : 1, err);
}

static int longest(const struct conversion *c, bool written) {
    int len = 0;

    for (int i = 0; i < c->file.n; i++) {
        const struct tensor_item *item = &c->file.item[i];
        const int n = (int)strlen(written ? item->name : item->stored);
        len = n > len ? n : len;
    }
    return len > 60 ? 60 : len;
}

static void print_table(const struct conversion *c) {
    const int in = longest(c, false), out = longest(c, true);
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    int64_t numbers = 0;
    int n_renamed = 0;

    for (int i = 0; i < c->file.n; i++) {
        const struct tensor_item *item = &c->file.item[i];
        const struct shape shape = written_shape(c, item);
        printf("%-*s  %-16s ->  %-*s  %s%s\n", in, item->stored, shape_text(&item->shape, a), out,
               item->name, shape_text(&shape, b), item->plain ? "  plain" : "");
        numbers += shape_len(&shape);
        n_renamed += strcmp(item->name, item->stored) != 0;
    }
    for (int i = 0; i < c->n_skipped; i++)
        printf("skipped %s: %s\n", c->skipped[i].name, c->skipped[i].why);
    printf("%s%s%s: %d tensors of %lld numbers, %d renamed, %d skipped\n", c->out,
           c->to_checkpoint ? ", net " : "", c->to_checkpoint ? c->net : "", c->file.n,
           (long long)numbers, n_renamed, c->n_skipped);
}

static int run(int argc, char **argv, struct err *err) {
    struct conversion c = {0};

    if (launch_rank(getenv) > 0) /* one of them does it */
        return 0;
    int rc = read_arguments(&c, argc, argv, err);
    if (!rc && c.help)
        printf("%s\n\n%s", command_convert.summary, command_convert.usage);
    else if (!rc)
        rc = gather(&c, err);
    if (!rc && !c.help)
        rc = c.to_checkpoint ? write_checkpoint(&c, err) : write_safetensors(&c, err);
    if (!rc && !c.help)
        print_table(&c);
    for (int i = 0; c.data && i < c.file.n; i++)
        free(c.data[i]);
    tensor_file_release(&c.file);
    pool_release(&c.pool);
    return rc;
}

const struct command command_convert = {
    .name = "convert",
    .summary = "bring weights to PyTorch (safetensors) and back",
    .usage =
        "dltrain convert IN OUT [options]\n"
        "\n"
        "  IN is a checkpoint or safetensors, whatever its name; OUT ends in .h5 or .safetensors.\n"
        "  Weights change between our order and PyTorch's; the numbers stay the same to the bit.\n"
        "  Those of spectral=true are weight_orig, weight_u and weight_v there.\n"
        "\n"
        "  --net NAME             the net to take from a checkpoint (default: all, and of several\n"
        "                         the names begin with NET.); its name in OUT.h5\n"
        "  --rename 'OLD -> NEW'  OLD: a name, its beginning in whole parts, or a text with one "
        "*;\n"
        "                         of several rules the first that fits applies; an empty NEW\n"
        "                         removes the beginning\n"
        "  --skip PATTERN         leave out, by names in IN: like OLD\n"
        "  --plain PATTERN        these are tables (embedding), with the same order in both\n"
        "  --ema                  averaged weights in place of the last ones\n"
        "\n"
        "  dltrain convert runs/cifar10/best.h5 resnet20.safetensors\n"
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
