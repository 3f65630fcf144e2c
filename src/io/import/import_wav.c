/* Sounds: WAV, FLAC, Ogg and what else libsndfile reads, to [length, 1] from -1 to 1. The only
 * includer of sndfile.h. */
#include "io/import/class_files.h"
#include "io/import/import_rows.h"

#include <inttypes.h>
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS = 1 };

/* Zero crossings of the windowed sinc on either side of the centre, of resampling. */
enum { CROSSINGS = 16 };

struct sound_import {
    struct class_files files;
    int64_t length, rate;
    int64_t n_mixed, n_resampled, n_cut, n_padded;
};

/* A sound as it is stored. */
struct sound {
    SNDFILE *file;
    SF_INFO info;
};

static int sound_open(struct sound *s, const char *path, struct err *err) {
    *s = (struct sound){0};
    s->file = sf_open(path, SFM_READ, &s->info);
    if (!s->file)
        return err_set(err, ERR_DATA, "%s: is no sound that can be read: %s", path,
                       sf_strerror(NULL));
    if (s->info.frames < 1 || s->info.frames > INT32_MAX || s->info.channels < 1) {
        sf_close(s->file);
        return err_set(err, ERR_DATA, "%s: has %lld samples, expected 1 to %d", path,
                       (long long)s->info.frames, INT32_MAX);
    }
    return 0;
}

/* All channels as their mean: v[frames], to be freed; NULL with err. */
static float *read_mono(const struct sound *s, const char *path, struct err *err) {
    const int64_t frames = s->info.frames, channels = s->info.channels;
    float *v = malloc((size_t)(frames * channels) * sizeof *v);

    if (!v || sf_readf_float(s->file, v, frames) != frames) {
        if (v)
            err_set(err, ERR_DATA, "%s: ends before its %lld samples", path, (long long)frames);
        else
            err_set(err, ERR_IO, "%s: out of memory", path);
        free(v);
        return NULL;
    }
    for (int64_t i = 0; i < frames; i++) {
        double sum = 0;

        for (int64_t c = 0; c < channels; c++)
            sum += (double)v[i * channels + c];
        v[i] = (float)(sum / (double)channels);
    }
    return v;
}

/* The sinc of half-width CROSSINGS under a Hann window. */
static double kernel(double x) {
    const double pi = 3.14159265358979323846;

    if (fabs(x) >= CROSSINGS)
        return 0;
    return (fabs(x) < 1e-9 ? 1 : sin(pi * x) / (pi * x)) * (0.5 + 0.5 * cos(pi * x / CROSSINGS));
}

/* Number i of v[n] at another rate, `ratio` of its own: band-limited to the lower of the two.
 * Source: Smith & Gossett 1984, doi:10.1109/ICASSP.1984.1172555 */
static float resampled(const float *v, int64_t n, double ratio, int64_t i) {
    const double at = (double)i / ratio, narrow = ratio < 1 ? ratio : 1;
    const int64_t reach = (int64_t)ceil(CROSSINGS / narrow), centre = (int64_t)floor(at);
    double sum = 0, weights = 0;

    for (int64_t k = centre - reach; k <= centre + reach + 1; k++) {
        const double w = kernel(((double)k - at) * narrow);

        weights += w;
        if (k >= 0 && k < n)
            sum += w * (double)v[k];
    }
    return (float)(sum / weights);
}

static int make_sound(struct sound_import *in, const char *path, float *out, struct err *err) {
    struct sound s;
    float *v;

    if (sound_open(&s, path, err))
        return -1;
    v = read_mono(&s, path, err);
    sf_close(s.file);
    if (!v)
        return -1;
    const double ratio = (double)in->rate / s.info.samplerate;
    const int64_t len = (int64_t)((double)s.info.frames * ratio + 1e-6);

    for (int64_t i = 0; i < in->length; i++)
        out[i] = i >= len                        ? 0
                 : s.info.samplerate == in->rate ? v[i]
                                                 : resampled(v, s.info.frames, ratio, i);
    free(v);
    return 0;
}

static int make(void *context, int64_t i, int field, void *out, struct err *err) {
    struct sound_import *in = context;

    if (field != LABELS)
        return make_sound(in, in->files.path[i], out, err);
    memcpy(out, &in->files.class[i], sizeof *in->files.class);
    return 0;
}

static const char *file_of(const void *context, int64_t i) {
    return ((const struct sound_import *)context)->files.path[i];
}

/* Length and rate, where they are not given: those of all files. */
static int settle(struct sound_import *in, const struct import_options *options, struct err *err) {
    int64_t length = 0, rate = 0;

    for (int64_t i = 0; i < in->files.n; i++) {
        const char *path = in->files.path[i];
        struct sound s;

        if (sound_open(&s, path, err))
            return -1;
        sf_close(s.file);
        rate = rate ? rate : s.info.samplerate;
        if (!options->rate && s.info.samplerate != rate)
            return err_set(err, ERR_USAGE,
                           "%s: has %d Hz, %s has %" PRId64 "; bring them to one "
                           "rate with --rate HZ",
                           path, s.info.samplerate, in->files.path[0], rate);
        const int64_t to = options->rate ? options->rate : rate;
        const int64_t len =
            (int64_t)((double)s.info.frames * (double)to / s.info.samplerate + 1e-6);
        length = length ? length : len;
        if (!options->length && len != length)
            return err_set(err, ERR_USAGE,
                           "%s: has %" PRId64 " samples at %" PRId64 " Hz, %s has %" PRId64
                           "; cut or pad them with --length N",
                           path, len, to, in->files.path[0], length);
        if (len < 1)
            return err_set(err, ERR_DATA,
                           "%s: has %" PRId64 " samples at %d Hz, none at %" PRId64 " Hz", path,
                           (int64_t)s.info.frames, s.info.samplerate, to);
        in->n_mixed += s.info.channels > 1;
        in->n_resampled += s.info.samplerate != to;
        in->n_cut += options->length && len > options->length;
        in->n_padded += options->length && len < options->length;
    }
    in->rate = options->rate ? options->rate : rate;
    in->length = options->length ? options->length : length;
    return 0;
}

static void note(const struct sound_import *in, struct import_result *result) {
    import_note(result, "%" PRId64 " samples at %" PRId64 " Hz each, %.3g s", in->length, in->rate,
                (double)in->length / (double)in->rate);
    if (in->n_mixed)
        import_note(result, "%" PRId64 " sounds of several channels become their mean",
                    in->n_mixed);
    if (in->n_resampled)
        import_note(result, "%" PRId64 " sounds are resampled", in->n_resampled);
    if (in->n_cut)
        import_note(result, "%" PRId64 " sounds are longer: their beginning is kept", in->n_cut);
    if (in->n_padded)
        import_note(result, "%" PRId64 " sounds are shorter: silence follows", in->n_padded);
}

static int describe(void *context, struct dataset_writer *writer, struct err *err) {
    const struct sound_import *in = context;
    const double rate = (double)in->rate;

    return dataset_writer_reals(writer, 0, "rate", &rate, 1, err);
}

static int run(const char *source, const char *target, const struct import_options *options,
               struct import_result *result, struct err *err) {
    static const char *const endings[] = {".wav", ".flac", ".ogg", ".aiff", ".aif", ".au", NULL};
    struct sound_import in = {0};
    int status =
        class_files_init(&in.files, source, endings, "sounds (.wav, .flac, .ogg ...)", result, err);

    if (!status)
        status = settle(&in, options, err);
    if (!status) {
        const struct writer_field fields[] = {
            {.name = "sound",
             .kind = DATASET_REALS,
             .sample = {2, {in.length, 1}},
             .measured = true,
             .says = "real"},
            {.name = "labels",
             .kind = DATASET_CLASS,
             .n_classes = in.files.n_classes,
             .class_name = (const char *const *)in.files.class_name}};
        const struct rows_source rows = {.name = source,
                                         .what = "sounds",
                                         .context = &in,
                                         .n = in.files.n,
                                         .n_fields = in.files.n_classes ? 2 : 1,
                                         .field = fields,
                                         .label = in.files.n_classes ? in.files.class : NULL,
                                         .n_splits = in.files.n_splits,
                                         .split_name = (const char *const *)in.files.split_name,
                                         .split_of = in.files.split,
                                         .file_of = file_of,
                                         .make = make,
                                         .describe = describe};
        note(&in, result);
        result->n_classes = in.files.n_classes;
        status = import_rows(&rows, target, options, result, err);
    }
    class_files_release(&in.files);
    return status ? -1 : 0;
}

const struct importer import_wav = {
    "wav", "sounds, SOURCE/CLASS/X.wav or SOURCE/SPLIT/CLASS/X.wav: WAV, FLAC, Ogg, AIFF",
    IMPORT_SPLIT | IMPORT_FOLDS | IMPORT_LENGTH | IMPORT_RATE, run};
