/* Texts as numbers of characters or words. Of folders of classes a file is a sample, cut or filled
 * up with -1, which an embedding makes zeros of; a file alone is cut into pieces, each beside the
 * same one place further on: what a model of language predicts. */
#include "io/file/file.h"
#include "io/import/class_files.h"
#include "io/import/import_rows.h"
#include "io/import/vocabulary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT, SECOND };

struct text_import {
    struct class_files files;
    char **bytes;   /* [n_texts] */
    int64_t *begin; /* [n_texts + 1] in id */
    int64_t n_texts;
    struct text_vocabulary vocabulary;
    int32_t *id; /* [vocabulary.n_tokens] */
    int64_t length;
    bool alone;
};

static int read_one(struct text_import *in, const char *path, struct err *err) {
    size_t len;
    const int64_t i = in->n_texts;

    in->begin[i] = in->vocabulary.n_tokens;
    if (file_read(path, &in->bytes[i], &len, err))
        return -1;
    in->n_texts++;
    if (vocabulary_add(&in->vocabulary, in->bytes[i], len, path, err))
        return -1;
    in->begin[i + 1] = in->vocabulary.n_tokens;
    if (in->begin[i] == in->begin[i + 1])
        return err_set(err, ERR_DATA, "%s: holds no %s", path,
                       in->vocabulary.words ? "words" : "characters");
    return 0;
}

static int read_all(struct text_import *in, const char *source, struct import_result *result,
                    struct err *err) {
    static const char *const endings[] = {".txt", ".text", ".md", NULL};
    int64_t n = 1;

    if (!in->alone) {
        if (class_files_init(&in->files, source, endings, "texts (.txt)", result, err))
            return -1;
        n = in->files.n;
        if (!in->files.n_classes)
            return err_set(err, ERR_DATA, "%s: expected folders of classes, or one file", source);
    }
    in->bytes = calloc((size_t)n, sizeof *in->bytes);
    in->begin = calloc((size_t)n + 1, sizeof *in->begin);
    if (!in->bytes || !in->begin)
        return err_set(err, ERR_IO, "%s: out of memory", source);
    for (int64_t i = 0; i < n; i++)
        if (read_one(in, in->alone ? source : in->files.path[i], err))
            return -1;
    in->id = malloc((size_t)in->vocabulary.n_tokens * sizeof *in->id + 1);
    if (!in->id)
        return err_set(err, ERR_IO, "%s: out of memory", source);
    return vocabulary_settle(&in->vocabulary, in->id, err);
}

static int make(void *context, int64_t i, int field, void *out, struct err *err) {
    const struct text_import *in = context;
    const int64_t first = in->alone ? i * in->length + (field == SECOND) : in->begin[i];
    const int64_t end = in->begin[in->alone ? 1 : i + 1];

    (void)err;
    if (field == SECOND && !in->alone) {
        memcpy(out, &in->files.class[i], sizeof *in->files.class);
        return 0;
    }
    for (int64_t k = 0; k < in->length; k++)
        ((int32_t *)out)[k] = first + k < end ? in->id[first + k] : -1;
    return 0;
}

static void note(const struct text_import *in, struct import_result *result) {
    const struct text_vocabulary *v = &in->vocabulary;
    const char *what = v->words ? "words" : "characters";
    int64_t cut = 0, filled = 0;

    import_note(result, "%" PRId64 " %s, %d different ones", v->n_tokens, what, v->n);
    if (v->n_unknown)
        import_note(result, "%" PRId64 " of them are too rare and become '%s'", v->n_unknown,
                    v->name[v->n - 1]);
    for (int64_t i = 0; !in->alone && i < in->n_texts; i++) {
        cut += in->begin[i + 1] - in->begin[i] > in->length;
        filled += in->begin[i + 1] - in->begin[i] < in->length;
    }
    if (cut)
        import_note(result,
                    "%" PRId64 " texts are longer than %" PRId64 " %s: their beginning is "
                    "kept",
                    cut, in->length, what);
    if (filled)
        import_note(result, "%" PRId64 " texts are shorter: -1 follows", filled);
}

static int write(struct text_import *in, const char *source, const char *target,
                 const struct import_options *options, struct import_result *result,
                 struct err *err) {
    const char *const *names = (const char *const *)in->vocabulary.name;
    const struct writer_field pieces = {.name = "text",
                                        .kind = DATASET_CLASS,
                                        .sample = {1, {in->length}},
                                        .n_classes = in->vocabulary.n,
                                        .class_name = names,
                                        .wide = true,
                                        .says = "class"};
    struct writer_field fields[] = {pieces, pieces};
    const struct rows_source rows = {.name = source,
                                     .what = in->alone ? "pieces" : "texts",
                                     .context = in,
                                     .n = in->alone ? (in->begin[1] - 1) / in->length : in->n_texts,
                                     .n_fields = 2,
                                     .field = fields,
                                     .label = in->alone ? NULL : in->files.class,
                                     .ordered = in->alone,
                                     .n_splits = in->files.n_splits,
                                     .split_name = (const char *const *)in->files.split_name,
                                     .split_of = in->files.split,
                                     .make = make};

    fields[SECOND].name = "next";
    if (!in->alone)
        fields[SECOND] =
            (struct writer_field){.name = "labels",
                                  .kind = DATASET_CLASS,
                                  .n_classes = in->files.n_classes,
                                  .class_name = (const char *const *)in->files.class_name};
    result->n_classes = in->files.n_classes;
    note(in, result);
    return import_rows(&rows, target, options, result, err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    struct text_import in = {.length = options->length, .vocabulary.words = options->words};
    struct stat st;
    int status;

    if (!options->length)
        return err_set(err, ERR_USAGE,
                       "data: text needs --length N: how many characters, or words, "
                       "a sample has");
    in.alone = stat(source, &st) == 0 && S_ISREG(st.st_mode);
    status = read_all(&in, source, result, err) || write(&in, source, target, options, result, err);
    for (int64_t i = 0; i < in.n_texts; i++)
        free(in.bytes[i]);
    free(in.bytes);
    free(in.begin);
    free(in.id);
    vocabulary_release(&in.vocabulary);
    class_files_release(&in.files);
    return status ? -1 : 0;
}

const struct importer import_text = {
    "text", "SOURCE/CLASS/X.txt, a text a sample; or FILE.txt, cut into pieces and what follows",
    IMPORT_SPLIT | IMPORT_FOLDS | IMPORT_LENGTH | IMPORT_WORDS, run};
