/* Which datasets of a group are fields. */
#include "core/base/nearest.h"
#include "core/base/pool.h"
#include "io/dataset/dataset_layout.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAMES_TEXT = 256 };

/* A dataset of the group that may be a field. */
struct candidate {
    struct layout_field field;
    int rank;
    char why[48]; /* it is none; "": it is one */
};

void layout_names(const struct h5_list *list, bool groups, char *text, size_t len) {
    size_t used = 0;

    *text = 0;
    for (int i = 0; i < list->n; i++) {
        const char *name = list->entry[i].name;

        if (list->entry[i].group != groups)
            continue;
        if (used + strlen(name) + 8 > len) {
            strcpy(text + used, ", ...");
            return;
        }
        used += (size_t)snprintf(text + used, len - used, "%s%s", used ? ", " : "", name);
    }
}

const char *layout_nearest(const struct h5_list *list, const char *name) {
    struct pool pool = {0};
    const char **groups = pool_take(&pool, (size_t)list->n * sizeof *groups);
    int n = 0;

    for (int i = 0; i < list->n; i++)
        if (list->entry[i].group)
            groups[n++] = list->entry[i].name;
    const char *found = nearest(name, groups, n);
    pool_release(&pool);
    return found;
}

bool layout_is_name(const char *name) {
    const size_t len = strlen(name);

    if (!len || len >= DATASET_FIELD_NAME || !(isalpha((unsigned char)*name) || *name == '_'))
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

/* masks_train or train_masks of the split train to masks; false where it is not of the split. */
static bool without_split(const char *name, const char *split, char *out, size_t len) {
    const size_t n = strlen(name), s = strlen(split);

    if (n > s + 1 && strncmp(name, split, s) == 0 && name[s] == '_')
        return snprintf(out, len, "%s", name + s + 1) < (int)len;
    if (n > s + 1 && strcmp(name + n - s, split) == 0 && name[n - s - 1] == '_')
        return snprintf(out, len, "%.*s", (int)(n - s - 1), name) < (int)len;
    return false;
}

/* The name of a field without that of its split, where there is one: false for another split's. */
static bool own_name(const char *entry, const char *split, char *out, size_t len) {
    if (split)
        return without_split(entry, split, out, len);
    return snprintf(out, len, "%s", entry) < (int)len;
}

/* Rows, and whether the dataset can be a field at all. Bytes that mean nothing to HDF5 may be
 * pictures where they are the images, or these are encoded as well.
 *   encoded  bytes may be pictures */
static int inspect(struct h5 *file, struct candidate *c, bool encoded, struct err *err) {
    struct layout_field *f = &c->field;
    struct h5_data *data;
    int64_t unpaired = 0;
    int told;

    if (h5_data_open(&data, file, f->path, err))
        return -1;
    const struct h5_info *info = h5_data_info(data);
    c->rank = info->rank;
    f->rows = info->rank ? info->dim[0] : 0;
    if (!info->rank)
        strcpy(c->why, "one value");
    else if (info->class == H5_CLASS_TEXT || info->class == H5_CLASS_OTHER ||
             info->class == H5_CLASS_BLOB)
        strcpy(c->why, info->class == H5_CLASS_TEXT   ? "text"
                       : info->class == H5_CLASS_BLOB ? "bytes without encoding = files"
                                                      : "no numbers");
    const struct h5_info known = *info;
    h5_data_close(data);
    told = h5_attr_exists(file, f->path, "unpaired", err);
    if (told < 0 || (told && h5_attr_int(file, f->path, "unpaired", &unpaired, err)))
        return -1;
    f->unpaired = unpaired != 0;
    if (layout_encoding(file, &known, f, err))
        return -1;
    if (f->encoding == LAYOUT_BLOBS && encoded)
        *c->why = 0;
    else if (f->encoding == LAYOUT_BLOBS)
        f->encoding = LAYOUT_PLAIN;
    return 0;
}

static void ignore(struct dataset_layout *out, const char *name, const char *why) {
    const size_t used = strlen(out->ignored), left = sizeof out->ignored - used;

    if (used + strlen(name) + strlen(why) + 12 > sizeof out->ignored) {
        if (left > 6 && strcmp(out->ignored + used - 5, ", ...") != 0)
            strcpy(out->ignored + used, ", ...");
        return;
    }
    snprintf(out->ignored + used, left, "%s%s (%s)", used ? ", " : "", name, why);
}

/* Those that there is room for. */
static int n_kept(const struct dataset_layout *out) {
    return out->n_fields < DATASET_MAX_FIELDS ? out->n_fields : DATASET_MAX_FIELDS;
}

static bool taken(const struct dataset_layout *out, const char *name) {
    for (int i = 0; i < n_kept(out); i++)
        if (strcmp(out->field[i].name, name) == 0)
            return true;
    return false;
}

/* The field that says how many samples there are: the first that is paired. */
static const struct layout_field *find_model(const struct dataset_layout *out) {
    for (int i = 0; i < n_kept(out); i++)
        if (!out->field[i].unpaired)
            return &out->field[i];
    return NULL;
}

/* Where other rows than the images' may be something else, images or not, fields must agree. */
static int check_rows(const struct h5 *file, const struct dataset_layout *out, struct candidate *c,
                      struct err *err) {
    const struct layout_field *model = find_model(out), *f = &c->field;

    if (!model || f->unpaired || model->rows == f->rows)
        return 0;
    snprintf(c->why, sizeof c->why, "%lld rows", (long long)f->rows);
    if (strcmp(model->name, "image") == 0)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s:%s: %s has %lld rows but %s has %lld; where they do not belong together, "
                   "give one of them the attribute unpaired = 1",
                   h5_name(file), out->group, model->name, (long long)model->rows, f->name,
                   (long long)f->rows);
}

/* Add the dataset `entry` of the group as `role`, "image" or "label", or else under its own name if
 * it is a field. */
static int add(struct h5 *file, const char *group, const char *entry, const char *own,
               const char *role, struct dataset_layout *out, struct err *err) {
    const char *name = role ? role : own;
    struct candidate c = {0};

    if (!layout_is_name(name) || snprintf(c.field.path, LAYOUT_PATH, "%s/%s",
                                          strcmp(group, "/") ? group : "", entry) >= LAYOUT_PATH) {
        ignore(out, entry, "no name for a field");
        return 0;
    }
    const bool encoded = role ? strcmp(role, "image") == 0 : out->field[0].encoding != LAYOUT_PLAIN;
    if (inspect(file, &c, encoded, err))
        return -1;
    c.field.table = c.rank == 2 && role && !strcmp(role, "image") && !strstr(entry, "image") &&
                    layout_is_name(own);
    strcpy(c.field.name, c.field.table ? own : name);
    if (role)
        *c.why = 0; /* what is wrong with it will be said */
    else if (!*c.why && taken(out, name))
        snprintf(c.why, sizeof c.why, "there is another %s", name);
    else if (!*c.why && check_rows(file, out, &c, err))
        return -1;
    if (*c.why) {
        ignore(out, entry, c.why);
        return 0;
    }
    if (out->n_fields < DATASET_MAX_FIELDS)
        out->field[out->n_fields] = c.field;
    out->n_fields++;
    return 0;
}

static int too_many(const struct h5 *file, const char *group, const struct h5_list *list,
                    const struct dataset_layout *out, struct err *err) {
    char datasets[NAMES_TEXT];

    layout_names(list, false, datasets, sizeof datasets);
    return err_set(err, ERR_DATA, "%s:%s: has %d fields, expected at most %d: %s", h5_name(file),
                   group, out->n_fields, DATASET_MAX_FIELDS, datasets);
}

/* Is the dataset of the group that is gathered the offsets or names of one of its fields? */
static bool is_companion(struct dataset_layout *out, const char *entry) {
    char path[2 * LAYOUT_PATH];
    bool unread = false;

    snprintf(path, sizeof path, "%s/%s", strcmp(out->group, "/") ? out->group : "", entry);
    const bool is = layout_is_companion(out, path, &unread);
    if (is && unread)
        ignore(out, entry, "no text for each picture");
    return is;
}

int layout_gather(struct h5 *file, const char *group, const char *split, const char *images,
                  const char *labels, struct dataset_layout *out, struct err *err) {
    struct h5_list list = {0};
    const struct { const char *entry, *role; } known[] = {{images, "image"}, {labels, "label"}};
    char own[LAYOUT_PATH];
    int status = 0;

    *out = (struct dataset_layout){0};
    snprintf(out->group, sizeof out->group, "%s", group);
    if (h5_list(file, group, &list, err))
        return -1;
    for (int k = 0; k < 2 && !status; k++)
        if (*known[k].entry)
            status = add(file, group, known[k].entry,
                         own_name(known[k].entry, split, own, sizeof own) ? own : "", known[k].role,
                         out, err);
    for (int i = 0; i < list.n && !status; i++) {
        const char *entry = list.entry[i].name;

        if (list.entry[i].group || strcmp(entry, images) == 0 || strcmp(entry, labels) == 0 ||
            is_companion(out, entry))
            continue;
        if (own_name(entry, split, own, sizeof own))
            status = add(file, group, entry, own, NULL, out, err);
    }
    if (!status && out->n_fields > DATASET_MAX_FIELDS)
        status = too_many(file, group, &list, out, err);
    h5_list_release(&list);
    return status;
}
