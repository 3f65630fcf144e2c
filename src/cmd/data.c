/* dltrain data: make datasets and look into them. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "cmd/data.h"
#include "cmd/command.h"
#include "dist/launch.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int data_usage_error(const char *what, struct err *err) {
    return err_set(err, ERR_USAGE, "data: %s; see dltrain help data", what);
}

int64_t data_default_jobs(void) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t mine;
    const long n = sched_getaffinity(0, sizeof mine, &mine) ? online : CPU_COUNT(&mine);

    return n < 1 ? 1 : n > DATA_MOST_JOBS ? DATA_MOST_JOBS : n;
}

int data_read_share(const char *text, const char *what, struct data_share *out, struct err *err) {
    char *end;
    const double value = strtod(text, &end);

    if (end == text || *end || !(value > 0) || (value >= 1 && value != floor(value)) ||
        value > INT32_MAX)
        return err_set(err, ERR_USAGE,
                       "data: --split is '%s', expected a number of %s or a share such as 0.1",
                       text, what);
    out->n = value >= 1 ? (int64_t)value : 0;
    out->share = value < 1 ? value : 0;
    return 0;
}

static int run(int argc, char **argv, struct err *err) {
    if (launch_rank(getenv) > 0) /* one of them does it */
        return 0;
    if (argc < 2)
        return data_usage_error("expected import, synth, split, proposals, crops, info, stats "
                                "or verify",
                                err);
    if (strcmp(argv[1], "import") == 0)
        return data_import(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "synth") == 0)
        return data_synth(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "split") == 0)
        return data_split(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "proposals") == 0)
        return data_proposals(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "crops") == 0)
        return data_crops(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "info") == 0 && argc == 3)
        return data_info(argv[2], err);
    if (strcmp(argv[1], "info") == 0)
        return data_usage_error("info takes one file", err);
    if (strcmp(argv[1], "stats") == 0)
        return data_stats(argc - 1, argv + 1, err);
    if (strcmp(argv[1], "verify") == 0 && argc > 2)
        return data_verify(argv + 2, argc - 2, err);
    if (strcmp(argv[1], "verify") == 0)
        return data_usage_error("verify takes files", err);
    return err_set(
        err, ERR_USAGE,
        "data: there is no '%s', expected import, synth, split, proposals, crops, info, stats "
        "or verify",
        argv[1]);
}

const struct command command_data = {
    .name = "data",
    .summary = "import a dataset, make one up, show or check what is in one",
    .usage =
        "dltrain data import IMPORTER SOURCE OUT.h5 [options]\n"
        "  imagefolder   SOURCE/CLASS/IMAGE or SOURCE/SPLIT/CLASS/IMAGE: JPEG, PNG, WebP,\n"
        "                BMP, GIF (first frame) and TIFF files\n"
        "  segmentation  images and masks: SOURCE/image/X.png and SOURCE/mask/X.png, or these\n"
        "                in SOURCE/SPLIT\n"
        "  pairs         SOURCE/A/X.png and SOURCE/B/X.png, or these in SOURCE/SPLIT\n"
        "  unpaired      SOURCE/trainA, SOURCE/trainB, SOURCE/testA, SOURCE/testB\n"
        "  idx           MNIST's files train-images-idx3-ubyte ... (unpacked)\n"
        "  cifar         CIFAR-10 or CIFAR-100, binary version\n"
        "  voc           boxes: SOURCE/Annotations/X.xml, SOURCE/JPEGImages/X.jpg, and lists in\n"
        "                SOURCE/ImageSets/Main\n"
        "  csv           a table with a header: FILE.csv, .tsv, .csv.gz\n"
        "  npy           NumPy's FILE.npy, or FILE.npz, whose arrays are fields\n"
        "  volumes       NIfTI: SOURCE/images/X.nii.gz and SOURCE/masks/X.nii.gz, or\n"
        "                SOURCE/CLASS/X.nii.gz, or these in SOURCE/SPLIT\n"
        "  wav           SOURCE/CLASS/X.wav or SOURCE/SPLIT/CLASS/X.wav; FLAC, Ogg, AIFF\n"
        "  text          SOURCE/CLASS/X.txt or SOURCE/SPLIT/CLASS/X.txt; or FILE.txt, cut into\n"
        "                pieces and what follows each\n"
        "  options of all but idx and cifar:\n"
        "  --split S     hold a share S of train (0.2), or S of its samples (500), out as the\n"
        "                group validate: drawn, of each class in proportion\n"
        "  --seed N      of the draw (default: 1)\n"
        "  of importers of images:\n"
        "  --size WxH    bring images to this size (default: they must all agree)\n"
        "  --fit HOW     crop (keep proportions, cut the edges; default) or stretch\n"
        "  --grey, --colour   channels (default: as most of the images)\n"
        "  --orientation HOW  apply (turn images and masks upright as their EXIF says; default)\n"
        "                or ignore\n"
        "  --jobs N      threads that decode (default: one for each processor)\n"
        "  of imagefolder:\n"
        "  --skip-broken      leave out images that cannot be decoded, and list them\n"
        "  --encoded     keep JPEGs and other files as they are, of many sizes, to be decoded in\n"
        "                training; stopped or killed, the same command goes on where it was\n"
        "  --resize-short N   of those whose shorter side is longer: smaller JPEGs\n"
        "  --quality N   of these (1 to 100; default: 90)\n"
        "  of segmentation:\n"
        "  --binary      two classes: dark and bright (default: where masks hold 0 and 255)\n"
        "  --mask-suffix _mask  masks are called X_mask.png, beside the images or not\n"
        "  of pairs:\n"
        "  --halves      both images of a pair side by side in one: SOURCE/SPLIT/X.jpg\n"
        "  of csv, npy, volumes, wav and text:\n"
        "  --folds K     all samples as groups fold1 to foldK of one size, of each class in\n"
        "                proportion\n"
        "  of csv:\n"
        "  --target C    the column, or columns a,b, to tell from the others\n"
        "  --features L  columns a,b,c that it is told from, or all (default)\n"
        "  --classes, --regression  what whole numbers in the target are\n"
        "  --missing HOW refuse (default) cells without a value, drop their rows, or put the mean\n"
        "  --group C     a column whose rows of one value stay together in --split and --folds\n"
        "  --no-header   columns are called c1, c2 ...\n"
        "  --window N --horizon M  N rows tell the target in the next M; --split takes the end\n"
        "  of volumes:\n"
        "  --spacing X,Y,Z  resample to voxels of so many mm\n"
        "  --size DxHxW  cut and pad about the middle\n"
        "  --slices K    samples are slices with their neighbours: images of K channels\n"
        "  of wav and text:\n"
        "  --rate HZ     resample sounds\n"
        "  --length N    samples of a sound, or characters of a text: cut and pad to so many\n"
        "  --words       words of a text in place of characters\n"
        "dltrain data synth OUT.h5 [--train 10000] [--test 2000] [--seed 1]\n"
        "  a dataset of textured shapes, 10 classes, 32x32, in colour\n"
        "dltrain data synth OUT.h5 --like imagenet [--samples 20000] [--classes 1000] [--seed 1]\n"
        "                          [--jobs N]\n"
        "  encoded images of 400 to 500 pixels a side, some 90 KB each, 5 % of them as the group\n"
        "  validate\n"
        "dltrain data synth OUT.h5 --like boxes [--train 2000] [--test 400] [--classes 3]\n"
        "                          [--objects 4] [--side 96] [--seed 1]\n"
        "  pictures of up to so many shapes, and a box around each\n"
        "dltrain data split FILE.h5[:GROUP] OUT.h5 --folds 5 | --split 0.2 [--seed 1]\n"
        "  the rows of a group as the groups fold1 ... fold5, or train and validate, of each\n"
        "  class in proportion\n"
        "dltrain data proposals FILE.h5 [OUT.h5] [--n 2000] [--fast | --quality] [--seed 1]\n"
        "                       [--jobs N]\n"
        "  regions of every picture that may hold something, by selective search, as the field\n"
        "  proposals; in the file itself, or in OUT.h5 beside all that it holds\n"
        "dltrain data crops FILE.h5 OUT.h5 [--size 64] [--context 0] [--near 4]\n"
        "                   [--background 3] [--seed 1]\n"
        "  what is in the boxes, cut out, as images with labels and box deltas: the boxes\n"
        "  themselves, up to --near proposals that meet each (IoU of 0.5), and --background\n"
        "  proposals for each box that meet none by 0.3; with so much of its sides around each\n"
        "dltrain data info FILE.h5[:GROUP]\n"
        "  groups, fields, shapes, classes, mean and standard deviation, chunks, what was guessed\n"
        "dltrain data stats FILE.h5[:GROUP] [--sheet OUT.png [--each 10]]\n"
        "  means, deviations, classes as bars; a picture of the first samples of each class,\n"
        "  masks beside their images, boxes on them\n"
        "dltrain data verify FILE.h5[:GROUP] ...\n"
        "  read everything: is it undamaged, finite, within its classes, as it was written?\n",
    .run = run,
};
