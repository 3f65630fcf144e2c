/* The names in a file. Only hard links are followed: they cannot leave it. */
#include "io/h5/h5_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse_link(const struct h5 *file, const char *path, H5L_type_t type, struct err *err) {
    return err_set(err, ERR_DATA,
                   "%s:%s: is %s link, which may lead outside the file; expected the data itself",
                   file->name, path,
                   type == H5L_TYPE_SOFT       ? "a soft"
                   : type == H5L_TYPE_EXTERNAL ? "an external"
                                               : "a user-defined");
}

/* The kind of object at a path that exists; H5I_BADID with err. */
static H5I_type_t type_of(const struct h5 *file, const char *path, struct err *err) {
    const hid_t id = H5Oopen(file->id, path, H5P_DEFAULT);
    H5I_type_t type;

    if (id < 0) {
        h5_fail(file, path, ERR_DATA, "cannot be opened", err);
        return H5I_BADID;
    }
    type = H5Iget_type(id);
    H5Oclose(id);
    return type;
}

/* Is what stands in path before `at` a group? 1, 0, -1 with err. */
static int is_group_before(const struct h5 *file, char *path, char *at, struct err *err) {
    const char cut = *at;
    H5I_type_t type;

    *at = 0;
    type = type_of(file, path, err);
    *at = cut;
    return type == H5I_BADID ? -1 : type == H5I_GROUP;
}

/* As h5_path_check, for the last step of path; those before are groups. */
static int check_link(const struct h5 *file, const char *path, struct err *err) {
    const htri_t there = H5Lexists(file->id, path, H5P_DEFAULT);
    H5L_info_t info;

    if (there == 0)
        return 0;
    if (there < 0 || H5Lget_info(file->id, path, &info, H5P_DEFAULT) < 0)
        return h5_fail(file, path, ERR_DATA, "cannot be looked up", err);
    return info.type == H5L_TYPE_HARD ? 1 : refuse_link(file, path, info.type, err);
}

int h5_path_check(const struct h5 *file, const char *path, struct err *err) {
    char *prefix = h5_strdup(path);
    int status = 1;

    if (!prefix)
        return err_set(err, ERR_IO, "%s: out of memory", file->name);
    for (char *c = prefix; status == 1 && *c;) {
        char *begin = c + strspn(c, "/");
        char cut;

        if (!*begin)
            break;
        /* Only a group has members; HDF5 reports the question itself as a failure. */
        if (begin > prefix + 1 && (status = is_group_before(file, prefix, begin, err)) != 1)
            break;
        c = begin + strcspn(begin, "/");
        cut = *c;
        *c = 0;
        status = check_link(file, prefix, err);
        *c = cut;
    }
    free(prefix);
    return status;
}

int h5_path_require(const struct h5 *file, const char *path, const char *noun, struct err *err) {
    const int found = h5_path_check(file, path, err);

    if (found == 0)
        return err_set(err, ERR_DATA, "%s: has no %s %s", file->name, noun, path);
    return found < 0 ? -1 : 0;
}

/* Is there an object of one of the two kinds at path? 1, 0, -1 with err. */
static int is_of(const struct h5 *file, const char *path, H5I_type_t a, H5I_type_t b,
                 struct err *err) {
    H5I_type_t type = H5I_BADID;
    int found;

    h5_lock();
    found = h5_path_check(file, path, err);
    if (found == 1)
        type = type_of(file, path, err);
    h5_unlock();
    if (found == 1 && type == H5I_BADID)
        return -1;
    return found == 1 ? (type == a || type == b) : found;
}

int h5_exists(struct h5 *file, const char *path, struct err *err) {
    return is_of(file, path, H5I_GROUP, H5I_DATASET, err);
}

int h5_is_group(struct h5 *file, const char *path, struct err *err) {
    return is_of(file, path, H5I_GROUP, H5I_GROUP, err);
}

int h5_is_data(struct h5 *file, const char *path, struct err *err) {
    return is_of(file, path, H5I_DATASET, H5I_DATASET, err);
}

/* The name of link i, malloc'd; NULL with err set. */
static char *link_name(const struct h5 *file, const char *group, hsize_t i, struct err *err) {
    const ssize_t len =
        H5Lget_name_by_idx(file->id, group, H5_INDEX_NAME, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
    char *name = len > 0 ? malloc((size_t)len + 1) : NULL;

    if (len > 0 && !name)
        err_set(err, ERR_IO, "%s: out of memory", file->name);
    else if (len <= 0 || H5Lget_name_by_idx(file->id, group, H5_INDEX_NAME, H5_ITER_INC, i, name,
                                            (size_t)len + 1, H5P_DEFAULT) < 0) {
        h5_fail(file, group, ERR_DATA, "its members cannot be listed", err);
        free(name);
        return NULL;
    }
    return name;
}

/* Append member i of the group to out, unless it is neither a group nor a dataset. */
static int list_member(const struct h5 *file, const char *group, hsize_t i, struct h5_list *out,
                       struct err *err) {
    char *name = link_name(file, group, i, err), *path;
    H5I_type_t type = H5I_BADID;
    size_t bytes;
    int found;

    if (!name)
        return -1;
    bytes = strlen(group) + strlen(name) + 2;
    path = malloc(bytes);
    if (!path) {
        free(name);
        return err_set(err, ERR_IO, "%s: out of memory", file->name);
    }
    snprintf(path, bytes, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
    found = h5_path_check(file, path, err);
    if (found == 1 && (type = type_of(file, path, err)) == H5I_BADID)
        found = -1;
    free(path);
    if (found < 0 || (type != H5I_GROUP && type != H5I_DATASET)) {
        free(name);
        return found < 0 ? -1 : 0;
    }
    out->entry[out->n++] = (struct h5_entry){name, type == H5I_GROUP};
    return 0;
}

static int list(const struct h5 *file, const char *group, struct h5_list *out, struct err *err) {
    H5G_info_t info;

    if (h5_path_require(file, group, "group", err))
        return -1;
    if (H5Gget_info_by_name(file->id, group, &info, H5P_DEFAULT) < 0)
        return h5_fail(file, group, ERR_DATA, "cannot be read as a group", err);
    if (info.nlinks > INT32_MAX)
        return err_set(err, ERR_DATA, "%s:%s: has too many members", file->name, group);
    out->entry = calloc((size_t)info.nlinks + 1, sizeof *out->entry);
    if (!out->entry)
        return err_set(err, ERR_IO, "%s: out of memory", file->name);
    for (hsize_t i = 0; i < info.nlinks; i++)
        if (list_member(file, group, i, out, err))
            return -1;
    return 0;
}

int h5_list(struct h5 *file, const char *group, struct h5_list *out, struct err *err) {
    int status;

    *out = (struct h5_list){0};
    h5_lock();
    status = list(file, group, out, err);
    h5_unlock();
    if (status)
        h5_list_release(out);
    return status;
}

void h5_list_release(struct h5_list *list) {
    for (int i = 0; i < list->n; i++)
        free(list->entry[i].name);
    free(list->entry);
    *list = (struct h5_list){0};
}

int h5_group_create(struct h5 *file, const char *path, struct err *err) {
    int status = 0;
    hid_t list, id;

    h5_lock();
    list = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(list, 0);
    id = H5Gcreate2(file->id, path, H5P_DEFAULT, list, H5P_DEFAULT);
    if (id < 0)
        status = h5_fail(file, path, ERR_IO, "cannot be created", err);
    else
        H5Gclose(id);
    H5Pclose(list);
    h5_unlock();
    return status;
}
