/* convert_tensors.c - weights as tensors: checkpoints and safetensors, into each other. */
#include "cmd/convert.h"
#include "cmd/runjob.h"
#include "io/weights/checkpoint.h"
#include "io/weights/layout.h"
#include "io/weights/safetensors.h"
#include "train/others.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool to_checkpoint(const struct conversion *c) {
    return c->format->write == convert_to_checkpoint;
}

/* --- what is to be converted --- */

static int select_net(struct conversion *c, struct err *err) {
    struct tensor_file *f = &c->file;

    if (f->ck && c->plains.n)
        return err_set(err, ERR_USAGE,
                       "convert: --plain is for safetensors; %s says itself what is a table",
                       c->in);
    if (c->job)
        return 0;
    if (!f->ck && to_checkpoint(c) && !c->net)
        return err_set(err, ERR_USAGE,
                       "convert: found no --net NAME, expected the name that the net is to have in "
                       "%s",
                       c->out);
    if (!f->ck && !to_checkpoint(c) && c->net)
        return err_set(err, ERR_USAGE, "convert: --net is for checkpoints; neither file is one");
    if (tensor_file_select(f, f->ck ? c->net : NULL, err))
        return -1;
    if (to_checkpoint(c) && !c->net && !f->net)
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
        if (c->onlys.n && !rename_match(&c->onlys, item.name))
            continue;
        const char *why = item.why ? item.why : skip ? "--skip" : NULL;
        if (rename_match(&c->plains, item.name) && item.shape.rank > 1)
            item.plain = true;
        if (!why) {
            f->item[n++] = item;
            continue;
        }
        c->skipped = pool_grow(&c->pool, c->skipped, c->n_skipped, sizeof *c->skipped);
        c->skipped[c->n_skipped++] = (struct convert_skipped){item.name, why};
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
    for (int i = 0; i < c->file.n && to_checkpoint(c); i++) {
        const char *name = c->file.item[i].name;
        if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
            return err_set(err, ERR_DATA,
                           "%s: '%s' cannot be a name in a checkpoint; --rename gives another",
                           c->in, name);
    }
    return 0;
}

static int open_tensors(struct conversion *c, struct err *err) {
    if (c->job)
        return convert_open_darknet(c, err);
    if (convert_is_arrays(c->in))
        return convert_open_arrays(c, err);
    if (runjob_file(&c->pool, c->in, &c->in, err))
        return -1;
    if (!tensor_file_open(&c->file, c->in, c->ema ? TENSORS_AVERAGED : TENSORS_LAST, err))
        return 0;
    others_name(c->in, NULL, err);
    return -1;
}

int convert_gather(struct conversion *c, struct err *err) {
    struct tensor_file *f = &c->file;

    if ((to_checkpoint(c) && convert_target_h5(c->out, err)) || open_tensors(c, err) ||
        select_net(c, err))
        return -1;
    leave_out(c);
    if (tensor_file_rename(f, &c->renames, err) || check_used(&c->renames, "rename", c->in, err) ||
        check_used(&c->skips, "skip", c->in, err) || check_used(&c->onlys, "only", c->in, err) ||
        check_used(&c->plains, "plain", c->in, err) || check_names(c, err))
        return -1;
    if (!f->ck && to_checkpoint(c))
        tensor_file_from_torch(f);
    if (f->ck && !to_checkpoint(c))
        tensor_file_to_torch(f);
    if (!f->n)
        return err_set(err, ERR_DATA, "%s: there is nothing left to convert", c->in);
    c->data = pool_take(&c->pool, (size_t)f->n * sizeof *c->data);
    for (int i = 0; i < f->n; i++) {
        const struct tensor_item *item = &f->item[i];
        if (!(c->data[i] = malloc((size_t)shape_len(&item->shape) * sizeof **c->data)))
            return err_set(err, ERR_IO, "%s: not enough memory to read it", c->in);
        if (c->job)
            convert_read_darknet(c, item, c->data[i]);
        else if (c->arrays.n ? convert_read_array(c, item, c->data[i], err)
                             : tensor_file_read(f, item, item->plain, c->data[i], err))
            return -1;
    }
    return 0;
}

/* --- what is written --- */

static struct shape our_shape(const struct conversion *c, const struct tensor_item *item) {
    return c->file.ck || item->plain ? item->shape : layout_from_torch(&item->shape);
}

struct shape convert_shape(const struct conversion *c, const struct tensor_item *item) {
    const struct shape ours = our_shape(c, item);

    return to_checkpoint(c) || item->plain ? ours : layout_to_torch(&ours);
}

int convert_to_checkpoint(struct conversion *c, struct err *err) {
    const struct tensor_file *f = &c->file;
    struct checkpoint_tensor *t = pool_take(&c->pool, (size_t)f->n * sizeof *t);
    json_t *meta = json_pack("{s:s}", CONVERTED_FROM, c->in);
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

int convert_turn(struct conversion *c, int i, struct err *err) {
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

int convert_to_safetensors(struct conversion *c, struct err *err) {
    const struct tensor_file *f = &c->file;
    struct safetensor_out *t = pool_take(&c->pool, (size_t)f->n * sizeof *t);
    const char *plain = "";

    for (int i = 0; i < f->n; i++) {
        if (convert_turn(c, i, err))
            return -1;
        t[i] = (struct safetensor_out){f->item[i].name, convert_shape(c, &f->item[i]), c->data[i]};
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

void convert_print(const struct conversion *c) {
    const int in = longest(c, false), out = longest(c, true);
    char a[SHAPE_TEXT], b[SHAPE_TEXT];
    int64_t numbers = 0;
    int n_renamed = 0;

    for (int i = 0; i < c->file.n; i++) {
        const struct tensor_item *item = &c->file.item[i];
        const struct shape shape = convert_shape(c, item);
        printf("%-*s  %-16s ->  %-*s  %s%s\n", in, item->stored, shape_text(&item->shape, a), out,
               item->name, shape_text(&shape, b), item->plain ? "  plain" : "");
        numbers += shape_len(&shape);
        n_renamed += strcmp(item->name, item->stored) != 0;
    }
    for (int i = 0; i < c->n_skipped; i++)
        printf("skipped %s: %s\n", c->skipped[i].name, c->skipped[i].why);
    printf("%s%s%s: %d tensors of %lld numbers, %d renamed, %d skipped\n", c->out,
           to_checkpoint(c) ? ", net " : "", to_checkpoint(c) ? c->net : "", c->file.n,
           (long long)numbers, n_renamed, c->n_skipped);
}
