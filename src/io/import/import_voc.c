/* The layout of PASCAL VOC: Annotations/X.xml, JPEGImages/X.jpg, ImageSets/Main/train.txt. Numbers
 * of pixels there begin with 1, and the last belongs to the box: Everingham et al., The PASCAL
 * Visual Object Classes Challenge 2012 Development Kit, section 3.3. */
#include "io/file/file.h"
#include "io/file/folder.h"
#include "io/import/boxed.h"

#include <errno.h>
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DEPTH = 8, TEXT = 256, PATH = 4096 };

/* A file of annotations on the way through the parser. */
struct voc_file {
    const char *path;
    XML_Parser parser;
    struct boxed *b;
    int depth;
    char tags[DEPTH][32], text[TEXT];
    size_t len;
    struct boxed_box box;
    char name[TEXT];
    unsigned seen; /* bits of xmin, ymin, xmax, ymax, name */
    struct err *err;
    bool failed;
};

static void fail(struct voc_file *f, const char *what, const char *found, const char *expected) {
    if (!f->failed)
        err_set(f->err, ERR_DATA, "%s:%lu: %s is '%.60s', expected %s", f->path,
                (unsigned long)XML_GetCurrentLineNumber(f->parser), what, found, expected);
    f->failed = true;
    XML_StopParser(f->parser, XML_FALSE);
}

static bool within(const struct voc_file *f, const char *parent, int depth) {
    return f->depth == depth && strcmp(f->tags[depth - 2], parent) == 0;
}

static void XMLCALL begin(void *context, const XML_Char *name, const XML_Char **attributes) {
    struct voc_file *f = context;

    (void)attributes;
    if (f->depth < DEPTH)
        snprintf(f->tags[f->depth], sizeof f->tags[0], "%s", name);
    f->depth++;
    f->len = 0;
    if (f->depth == 1 && strcmp(name, "annotation"))
        fail(f, "the first element", name, "annotation");
    if (f->depth == 2 && strcmp(name, "object") == 0) {
        f->box = (struct boxed_box){.line = (int)XML_GetCurrentLineNumber(f->parser)};
        f->seen = 0;
        f->name[0] = 0;
    }
}

static void XMLCALL text(void *context, const XML_Char *s, int len) {
    struct voc_file *f = context;

    for (int k = 0; k < len && f->len + 1 < TEXT; k++)
        f->text[f->len++] = s[k];
}

/* The text of the element that ends, without blanks around it. */
static char *trimmed(struct voc_file *f) {
    char *at = f->text;

    f->text[f->len] = 0;
    at += strspn(at, " \t\r\n");
    for (size_t n = strlen(at); n && strchr(" \t\r\n", at[n - 1]); n--)
        at[n - 1] = 0;
    return at;
}

static double number(struct voc_file *f, const char *what) {
    const char *at = trimmed(f);
    char *end;
    const double value = strtod(at, &end);

    if (end == at || *end || !(value > -1e6 && value < 1e6)) {
        fail(f, what, at, "a number of pixels");
        return 0;
    }
    return value;
}

static void end_object(struct voc_file *f) {
    if (f->seen != 31) {
        static const char *const parts[] = {"xmin", "ymin", "xmax", "ymax", "name"};

        for (int k = 0; k < 5; k++)
            if (!(f->seen & 1U << k)) {
                fail(f, "an object without", parts[k], "name and bndbox of xmin, ymin, xmax, ymax");
                return;
            }
    }
    f->box.class = boxed_class(f->b, f->name);
    boxed_add_box(f->b, &f->box);
}

static void XMLCALL end(void *context, const XML_Char *tag) {
    static const char *const sides[] = {"xmin", "ymin", "xmax", "ymax"};
    struct voc_file *f = context;
    struct boxed_picture *p = &f->b->picture[f->b->n_pictures - 1];
    double *const to[] = {&f->box.x1, &f->box.y1, &f->box.x2, &f->box.y2};

    for (int k = 0; k < 4 && within(f, "bndbox", 4) && !strcmp(f->tags[1], "object"); k++)
        if (strcmp(tag, sides[k]) == 0) {
            *to[k] =
                number(f, sides[k]) - (k < 2); /* the first pixel is 1; the last belongs to it */
            f->seen |= 1U << k;
        }
    if (within(f, "size", 3) && strcmp(tag, "width") == 0)
        p->width = (int)number(f, "width");
    if (within(f, "size", 3) && strcmp(tag, "height") == 0)
        p->height = (int)number(f, "height");
    if (within(f, "object", 3) && strcmp(tag, "name") == 0) {
        snprintf(f->name, sizeof f->name, "%s", trimmed(f));
        if (*f->name)
            f->seen |= 16;
    }
    if (within(f, "object", 3) && strcmp(tag, "difficult") == 0)
        f->box.difficult = strcmp(trimmed(f), "0") && *trimmed(f);
    if (f->depth == 2 && strcmp(tag, "object") == 0 && !f->failed)
        end_object(f);
    f->depth--;
    f->len = 0;
}

static int read_annotation(struct boxed *b, const char *path, struct err *err) {
    struct voc_file f = {.path = path, .b = b, .err = err};
    char *bytes = NULL;
    size_t len;

    if (file_read(path, &bytes, &len, err))
        return -1;
    f.parser = XML_ParserCreate(NULL);
    if (!f.parser) {
        free(bytes);
        return err_set(err, ERR_IO, "%s: out of memory", path);
    }
    XML_SetUserData(f.parser, &f);
    XML_SetElementHandler(f.parser, begin, end);
    XML_SetCharacterDataHandler(f.parser, text);
    int status = 0;
    if (len > INT32_MAX)
        status = err_set(err, ERR_DATA, "%s: is too long for annotations of a picture", path);
    else if (XML_Parse(f.parser, bytes, (int)len, XML_TRUE) != XML_STATUS_OK)
        status = f.failed ? -1
                          : err_set(err, ERR_DATA, "%s:%lu: is no XML: %s", path,
                                    (unsigned long)XML_GetCurrentLineNumber(f.parser),
                                    XML_ErrorString(XML_GetErrorCode(f.parser)));
    XML_ParserFree(f.parser);
    free(bytes);
    return status;
}

/* The picture of that name, with one of the endings that pictures have. */
static int find_picture(struct boxed *b, const char *source, const char *name, const char **path,
                        struct err *err) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG", ".bmp"};

    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        *path = pool_print(&b->pool, "%s/JPEGImages/%s%s", source, name, endings[k]);
        if (access(*path, F_OK) == 0)
            return 0;
    }
    return err_set(err, ERR_DATA, "%s/Annotations/%s.xml: there is no picture %s.jpg in JPEGImages",
                   source, name, name);
}

static int add(struct boxed *b, const char *source, const char *name, int split, struct err *err) {
    const char *about = pool_print(&b->pool, "%s/Annotations/%s.xml", source, name), *path;

    if (find_picture(b, source, name, &path, err))
        return -1;
    boxed_add_picture(b, path, about, split);
    return read_annotation(b, about, err);
}

/* The names of a list, the first word of each line. */
static int read_list(struct boxed *b, const char *source, const char *path, int split,
                     struct err *err) {
    char *bytes = NULL, *line, *rest;
    size_t len;
    int status = file_read(path, &bytes, &len, err);

    for (line = status ? NULL : strtok_r(bytes, "\r\n", &rest); line && !status;
         line = strtok_r(NULL, "\r\n", &rest)) {
        line += strspn(line, " \t");
        line[strcspn(line, " \t")] = 0;
        if (*line)
            status = add(b, source, line, split, err);
    }
    free(bytes);
    return status ? -1 : 0;
}

/* Without lists all pictures that have annotations. */
static int read_all(struct boxed *b, const char *source, struct err *err) {
    struct folder folder = {0};
    char path[PATH];
    int status;

    snprintf(path, sizeof path, "%s/Annotations", source);
    status = folder_init(&folder, path, err);
    b->split[b->n_splits++] = "train";
    for (int i = 0; i < folder.n && !status; i++) {
        char *name = folder.entry[i].name;
        const size_t n = strlen(name);

        if (n < 5 || strcasecmp(name + n - 4, ".xml"))
            continue;
        name[n - 4] = 0;
        status = add(b, source, name, 0, err);
    }
    folder_release(&folder);
    return status ? -1 : 0;
}

static int read_lists(struct boxed *b, const char *source, struct err *err) {
    static const char *const lists[] = {"train", "val", "test", "trainval"};
    char path[PATH];

    for (int k = 0; k < 4; k++) {
        snprintf(path, sizeof path, "%s/ImageSets/Main/%s.txt", source, lists[k]);
        if (access(path, F_OK) || (k == 3 && b->n_splits && !strcmp(b->split[0], "train")))
            continue;
        b->split[b->n_splits] = k == 3 ? "train" : k == 1 ? "validate" : lists[k];
        if (read_list(b, source, path, b->n_splits++, err))
            return -1;
    }
    return b->n_splits ? 0 : read_all(b, source, err);
}

/* Annotations that are in no list. */
static void tell_unlisted(const struct boxed *b, const char *source, struct import_result *result) {
    struct folder folder = {0};
    struct err none = {0};
    char path[PATH];
    int n = 0;

    snprintf(path, sizeof path, "%s/Annotations", source);
    if (!folder_init(&folder, path, &none))
        for (int i = 0; i < folder.n; i++)
            n += strstr(folder.entry[i].name, ".xml") != NULL;
    folder_release(&folder);
    if (n > b->n_pictures)
        import_note(result, "%d of %d annotations are in no list of ImageSets/Main, and left out",
                    n - b->n_pictures, n);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct boxed b = {0};
    char path[PATH];

    snprintf(path, sizeof path, "%s/Annotations", source);
    if (access(path, F_OK))
        return err_set(err, errno == ENOENT ? ERR_DATA : ERR_IO,
                       "%s: expected folders Annotations and JPEGImages in it", source);
    int status = read_lists(&b, source, err);
    if (!status) {
        boxed_sort_classes(&b);
        status = boxed_write(&b, source, target, options, result, err);
    }
    if (!status)
        tell_unlisted(&b, source, result);
    boxed_release(&b);
    return status;
}

const struct importer import_voc = {
    .name = "voc",
    .help = "SRC/Annotations/X.xml, SRC/JPEGImages/X.jpg, lists in SRC/ImageSets/Main: boxes",
    .takes = IMPORT_SIZE | IMPORT_MODE | IMPORT_SPLIT | IMPORT_FOLDS,
    .run = run};
