#include "io/weights/tensor_file.h"
#include "io/file/file.h"
#include "io/weights/checkpoint.h"
#include "io/weights/layout.h"
#include "io/weights/safetensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- which kind of file --- */

static const char hdf5_mark[8] = "\x89HDF\r\n\x1a\n";

/* Its first bytes, zeros where it is shorter. */
static int read_beginning(const char *path, char bytes[16], struct err *err) {
    char found[16] = {0};
    const int fd = file_open(path, err);
    const ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof found);
    const int failed = errno;

    memcpy(bytes, found, sizeof found);
    if (fd < 0)
        return -1;
    close(fd);
    return n < 0 ? err_set(err, ERR_IO, "%s: cannot be read: %s", path, strerror(failed)) : 0;
}

static bool begins_checkpoint(const char bytes[16]) {
    return !memcmp(bytes, hdf5_mark, sizeof hdf5_mark);
}

static bool begins_safetensors(const char bytes[16]) {
    return !begins_checkpoint(bytes) && bytes[8] == '{';
}

bool tensor_file_is_safetensors(const char *path) {
    struct err ignored = {0};
    char bytes[16];

    return !read_beginning(path, bytes, &ignored) && begins_safetensors(bytes);
}

bool tensor_file_is_checkpoint(const char *path) {
    struct err ignored = {0};
    char bytes[16];

    return !read_beginning(path, bytes, &ignored) && begins_checkpoint(bytes);
}

static int is_nothing(const char *path, const char bytes[16], struct err *err) {
    if (!memcmp(bytes, "PK\3\4", 4) || !memcmp(bytes, "\x80\2", 2))
        return err_set(err, ERR_DATA,
                       "%s: is PyTorch's own format, which is a program; save it as safetensors "
                       "(`dltrain help convert` shows how)",
                       path);
    return err_set(err, ERR_DATA, "%s: is neither a checkpoint nor safetensors", path);
}

int tensor_file_check(const char *path, struct err *err) {
    char bytes[16];

    if (read_beginning(path, bytes, err))
        return -1;
    return begins_checkpoint(bytes) || begins_safetensors(bytes) ? 0 : is_nothing(path, bytes, err);
}

/* --- what is in it --- */

static struct tensor_item *add(struct tensor_file *f) {
    f->item = pool_grow(&f->pool, f->item, f->n, sizeof *f->item);
    f->item[f->n] = (struct tensor_item){0};
    return &f->item[f->n++];
}

/* "/nets/NET/NAME" -> its two names; false for other paths. */
static bool split(struct tensor_file *f, const char *path, const char *group, const char **net,
                  const char **name) {
    const size_t len = strlen(group);
    const char *slash = strncmp(path, group, len) ? NULL : strchr(path + len, '/');

    if (!slash)
        return false;
    *net = pool_copy(&f->pool, path + len, (size_t)(slash - path) - len);
    *name = slash + 1;
    return true;
}

static void add_net(struct tensor_file *f, const char *net) {
    if (tensor_file_has_net(f, net))
        return;
    f->nets = pool_grow(&f->pool, f->nets, f->n_nets, sizeof *f->nets);
    f->nets[f->n_nets++] = net;
}

static int list_checkpoint(struct tensor_file *f, enum tensor_choice choice, struct err *err) {
    int n, n_averaged = 0;
    const struct checkpoint_tensor *t = checkpoint_tensors(f->ck, &n);

    for (int i = 0; i < n; i++) {
        const char *net, *name;
        if (!split(f, t[i].path, "/nets/", &net, &name))
            continue;
        const struct checkpoint_tensor *averaged =
            choice != TENSORS_LAST
                ? checkpoint_find(f->ck, pool_print(&f->pool, "/ema/%s/%s", net, name))
                : NULL;
        const struct checkpoint_tensor *taken = averaged ? averaged : &t[i];
        n_averaged += averaged != NULL;
        add_net(f, net);
        *add(f) = (struct tensor_item){.name = name,
                                       .stored = name,
                                       .net = net,
                                       .shape = taken->shape,
                                       .plain = t[i].plain,
                                       .averaged = averaged != NULL,
                                       .index = (int)(taken - t)};
    }
    if (choice == TENSORS_AVERAGED && !n_averaged)
        return err_set(err, ERR_DATA, "%s: holds no averaged weights (/ema)", f->path);
    return 0;
}

/* Is the name one of a list, each ended by a line break? */
static bool is_listed(const char *list, const char *name) {
    const size_t len = strlen(name);

    for (const char *at = list; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strcspn(at, "\n") == len && !strncmp(at, name, len))
            return true;
    return false;
}

static int list_safetensors(struct tensor_file *f, enum tensor_choice choice, struct err *err) {
    int n;
    const struct safetensor *t = safetensors_list(f->st, &n);
    const char *plain = safetensors_meta(f->st, "dltrain.plain");

    if (choice == TENSORS_AVERAGED)
        return err_set(err, ERR_DATA, "%s: is no checkpoint: it holds no averaged weights",
                       f->path);
    for (int i = 0; i < n; i++)
        *add(f) = (struct tensor_item){.name = t[i].name,
                                       .stored = t[i].name,
                                       .net = "",
                                       .shape = t[i].shape,
                                       .plain = is_listed(plain, t[i].name),
                                       .why = t[i].why,
                                       .index = i};
    return 0;
}

int tensor_file_open(struct tensor_file *f, const char *path, enum tensor_choice choice,
                     struct err *err) {
    char bytes[16];
    int rc;

    *f = (struct tensor_file){0};
    if (read_beginning(path, bytes, err))
        return -1;
    f->path = pool_print(&f->pool, "%s", path);
    if (begins_checkpoint(bytes))
        rc = checkpoint_open(&f->ck, path, err) || list_checkpoint(f, choice, err);
    else if (begins_safetensors(bytes))
        rc = safetensors_open(&f->st, path, err) || list_safetensors(f, choice, err);
    else
        rc = is_nothing(path, bytes, err);
    if (rc)
        tensor_file_release(f);
    return rc ? -1 : 0;
}

void tensor_file_release(struct tensor_file *f) {
    checkpoint_close(f->ck);
    safetensors_close(f->st);
    pool_release(&f->pool);
    *f = (struct tensor_file){0};
}

/* --- picking and naming --- */

bool tensor_file_has_net(const struct tensor_file *f, const char *net) {
    for (int i = 0; i < f->n_nets; i++)
        if (!strcmp(f->nets[i], net))
            return true;
    return false;
}

bool tensor_file_all_begin(const struct tensor_file *f, const char *net) {
    const size_t len = strlen(net);

    for (int i = 0; i < f->n; i++)
        if (strncmp(f->item[i].name, net, len) || f->item[i].name[len] != '.')
            return false;
    return f->n > 0;
}

const char *tensor_file_nets(struct tensor_file *f) {
    const char *text = "";

    for (int i = 0; i < f->n_nets; i++)
        text = pool_print(&f->pool, "%s%s%s", text, i ? ", " : "", f->nets[i]);
    return f->n_nets ? text : "none";
}

static int by_name(const void *a, const void *b) {
    const struct tensor_item *x = a, *y = b;

    return strcmp(x->name, y->name);
}

void tensor_file_sort(struct tensor_file *f) {
    if (f->n)
        qsort(f->item, (size_t)f->n, sizeof *f->item, by_name);
}

int tensor_file_select(struct tensor_file *f, const char *net, struct err *err) {
    const size_t len = net ? strlen(net) : 0;
    int n = 0;

    for (int i = 0; i < f->n; i++) {
        struct tensor_item item = f->item[i];
        if (net && f->st && (strncmp(item.name, net, len) || item.name[len] != '.'))
            continue;
        if (net && f->ck && strcmp(item.net, net))
            continue;
        if (net && f->st)
            item.name += len + 1;
        if (!net && f->n_nets > 1)
            item.name = item.stored = pool_print(&f->pool, "%s.%s", item.net, item.name);
        f->item[n++] = item;
    }
    if (net && !n && f->ck)
        return err_set(err, ERR_DATA, "%s: holds no net %s; its nets are: %s", f->path, net,
                       tensor_file_nets(f));
    if (net && !n)
        return err_set(err, ERR_DATA, "%s: holds no tensor whose name begins with %s.", f->path,
                       net);
    f->n = n;
    f->net = net ? net : f->n_nets == 1 ? f->nets[0] : NULL;
    tensor_file_sort(f);
    return 0;
}

int tensor_file_rename(struct tensor_file *f, struct renames *rules, struct err *err) {
    for (int i = 0; i < f->n; i++) {
        f->item[i].name = rename_apply(rules, &f->pool, f->item[i].name);
        if (!*f->item[i].name)
            return err_set(err, ERR_DATA, "%s: renaming leaves nothing of the name %s", f->path,
                           f->item[i].stored);
    }
    tensor_file_sort(f);
    for (int i = 1; i < f->n; i++)
        if (!strcmp(f->item[i].name, f->item[i - 1].name))
            return err_set(err, ERR_DATA, "%s: renaming gives %s and %s the same name %s", f->path,
                           f->item[i - 1].stored, f->item[i].stored, f->item[i].name);
    return 0;
}

const struct tensor_item *tensor_file_find(const struct tensor_file *f, const char *name) {
    const struct tensor_item key = {.name = name};

    return f->n ? bsearch(&key, f->item, (size_t)f->n, sizeof key, by_name) : NULL;
}

/* --- numbers --- */

struct shape tensor_file_shape(const struct tensor_file *f, const struct shape *ours, bool plain) {
    return f->ck || plain ? *ours : layout_to_torch(ours);
}

int tensor_file_read(const struct tensor_file *f, const struct tensor_item *item, bool plain,
                     float *out, struct err *err) {
    const size_t bytes = (size_t)shape_len(&item->shape) * sizeof *out;
    int n;

    if (f->ck) {
        memcpy(out, checkpoint_tensors(f->ck, &n)[item->index].data, bytes);
        return 0;
    }
    if (plain || item->shape.rank < 2) {
        safetensors_read(f->st, item->index, out);
        return 0;
    }
    float *stored = malloc(bytes ? bytes : 1);
    if (!stored)
        return err_set(err, ERR_IO, "%s: not enough memory to read it", f->path);
    safetensors_read(f->st, item->index, stored);
    layout_read_torch(&item->shape, stored, out);
    free(stored);
    return 0;
}
