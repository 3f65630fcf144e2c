#include "core/base/foreign.h"
#include "core/base/fold.h"

#include <stddef.h>
#include <string.h>

/* Folded names, as of torch.nn, torch.optim, torchvision.transforms, keras.layers, keras.losses,
 * horovod and their command lines. */
static const struct {
    const char *theirs, *ours;
} table[] = {
    /* operators */
    {"batchnorm", "bn"},
    {"batchnormalization", "bn"},
    {"syncbatchnorm", "bn"},
    {"convolution", "conv"},
    {"convtranspose", "conv_transpose"},
    {"convtransposed", "conv_transpose"},
    {"transposedconv", "conv_transpose"},
    {"deconv", "conv_transpose"},
    {"dense", "linear"},
    {"fc", "linear"},
    {"fullyconnected", "linear"},
    {"innerproduct", "linear"},
    {"maxpooling", "maxpool"},
    {"averagepooling", "avgpool"},
    {"averagepool", "avgpool"},
    {"globalaveragepooling", "global_avgpool"},
    {"globalaveragepool", "global_avgpool"},
    {"gap", "global_avgpool"},
    {"globalmaxpooling", "global_maxpool"},
    {"adaptiveavgpool", "adaptive_avgpool"},
    {"adaptivemaxpool", "global_maxpool"},
    {"layernorm", "layer_norm"},
    {"layernormalization", "layer_norm"},
    {"groupnorm", "group_norm"},
    {"groupnormalization", "group_norm"},
    {"instancenorm", "instance_norm"},
    {"lrn", "local_response_norm"},
    {"localresponsenorm", "local_response_norm"},
    {"leakyrelu", "leaky_relu"},
    {"silu", "swish"},
    {"hardswish", "hard_swish"},
    {"hardsigmoid", "hard_sigmoid"},
    {"concatenate", "concat"},
    {"cat", "concat"},
    {"view", "reshape"},
    {"upsampling", "upsample"},
    {"interpolate", "upsample"},
    {"resizenearest", "upsample"},
    {"pixelshuffle", "pixel_shuffle"},
    {"channelshuffle", "channel_shuffle"},
    {"maxunpool", "max_unpool"},
    {"droppath", "drop_path"},
    {"stochasticdepth", "drop_path"},
    {"onehot", "one_hot"},
    {"spectralnorm", "spectral"},
    {"gaussiannoise", "noise"},
    {"stopgradient", "detach"},
    /* losses and metrics */
    {"crossentropyloss", "cross_entropy"},
    {"categoricalcrossentropy", "cross_entropy"},
    {"sparsecategoricalcrossentropy", "cross_entropy"},
    {"softmaxcrossentropy", "cross_entropy"},
    {"nllloss", "cross_entropy"},
    {"bceloss", "bce"},
    {"bcewithlogitsloss", "bce"},
    {"binarycrossentropy", "bce"},
    {"mseloss", "mse"},
    {"meansquarederror", "mse"},
    {"l2loss", "mse"},
    {"l1loss", "l1"},
    {"mae", "l1"},
    {"meanabsoluteerror", "l1"},
    {"smoothl1", "huber"},
    {"smoothl1loss", "huber"},
    {"huberloss", "huber"},
    {"kldiv", "kl"},
    {"kldivloss", "kl"},
    {"kullbackleibler", "kl"},
    {"diceloss", "dice"},
    {"focalloss", "focal"},
    {"hingeloss", "hinge"},
    {"multimarginloss", "hinge"},
    {"multiclasshinge", "hinge"},
    {"cosineembeddingloss", "cosine"},
    {"labelsmoothing", "smoothing"},
    {"ignoreindex", "ignore"},
    {"acc", "accuracy"},
    {"top1", "accuracy"},
    {"top5", "accuracy"},
    {"confusionmatrix", "confusion"},
    {"jaccard", "iou"},
    {"miou", "mean_iou"},
    {"f1score", "f1"},
    {"fid", "frechet"},
    {"dicecoefficient", "dice_score"},
    /* optimisers and schedules */
    {"learningrate", "lr"},
    {"baselr", "lr"},
    {"initlr", "lr"},
    {"weightdecay", "weight_decay"},
    {"wd", "weight_decay"},
    {"decay", "weight_decay"},
    {"l2", "weight_decay"},
    {"nesterovmomentum", "nesterov"},
    {"betas", "beta1"},
    {"optim", "optimizer"},
    {"optimiser", "optimizer"},
    {"scheduler", "lr"},
    {"lrscheduler", "lr"},
    {"steplr", "step"},
    {"multisteplr", "multistep"},
    {"exponentiallr", "exponential"},
    {"cosineannealinglr", "cosine"},
    {"cosineannealing", "cosine"},
    {"cosinedecay", "cosine"},
    {"onecyclelr", "one_cycle"},
    {"reducelronplateau", "plateau"},
    {"polynomiallr", "poly"},
    {"polynomialdecay", "poly"},
    {"milestones", "multistep"},
    /* initialisers */
    {"glorot", "xavier"},
    {"glorotuniform", "xavier"},
    {"xavieruniform", "xavier"},
    {"xaviernormal", "xavier"},
    {"he", "kaiming"},
    {"henormal", "kaiming"},
    {"kaimingnormal", "kaiming"},
    {"kaiminguniform", "kaiming"},
    /* augmentations */
    {"randomcrop", "random_crop"},
    {"centercrop", "center_crop"},
    {"randomresizedcrop", "random_resized_crop"},
    {"randomhorizontalflip", "random_flip"},
    {"randomverticalflip", "random_flip"},
    {"horizontalflip", "random_flip"},
    {"hflip", "random_flip"},
    {"randomrotation", "rotate"},
    {"colorjitter", "brightness"},
    {"randomerasing", "cutout"},
    {"elastictransform", "elastic"},
    {"normalise", "normalize"},
    /* keys of a job and of command lines */
    {"batchsize", "batch"},
    {"globalbatchsize", "batch"},
    {"minibatch", "batch"},
    {"bs", "batch"},
    {"epoch", "epochs"},
    {"nepochs", "epochs"},
    {"numepochs", "epochs"},
    {"maxepochs", "epochs"},
    {"maxsteps", "steps"},
    {"iterations", "steps"},
    {"maxiter", "steps"},
    {"gradaccumulation", "accumulate"},
    {"accumulationsteps", "accumulate"},
    {"gradientaccumulationsteps", "accumulate"},
    {"accumulategradbatches", "accumulate"},
    {"gradclip", "clip_norm"},
    {"clipgradnorm", "clip_norm"},
    {"maxgradnorm", "clip_norm"},
    {"gradientclipval", "clip_norm"},
    {"clipnorm", "clip_norm"},
    {"clipgradvalue", "clip_value"},
    {"clipvalue", "clip_value"},
    {"earlystopping", "patience"},
    {"earlystop", "patience"},
    {"numworkers", "threads"},
    {"workers", "threads"},
    {"nthreads", "threads"},
    {"randomseed", "seed"},
    {"manualseed", "seed"},
    {"valdata", "validate"},
    {"val", "validate"},
    {"validation", "validate"},
    {"dataset", "train"},
    {"traindata", "train"},
    {"transforms", "augment"},
    {"transform", "augment"},
    {"augmentation", "augment"},
    {"loginterval", "log"},
    {"logevery", "log"},
    {"savedir", "output"},
    {"outputdir", "output"},
    {"outdir", "output"},
    {"checkpointdir", "output"},
    {"fusionthreshold", "bucket"},
    {"bucketcapmb", "bucket"},
    {"network", "net"},
    {"modelema", "ema"},
    {"pretrained", "weights"},
    {"finetune", "weights"},
    {"test", "eval"},
    {"evaluate", "eval"},
    {"fit", "train"},
    {"summary", "show"},
    {"export", "convert"},
    {"benchmark", "bench"},
};

enum { N_TABLE = sizeof table / sizeof *table };

/* batchnorm of batchnorm2d; 0 where there is none. */
static size_t without_dimension(const char *folded) {
    const size_t len = strlen(folded);

    if (len > 2 && folded[len - 1] == 'd' && strchr("123", folded[len - 2]))
        return len - 2;
    return 0;
}

const char *foreign_meaning(const char *name, int i) {
    char folded[FOLD_TEXT];

    fold(name, folded);
    const size_t len = strlen(folded), shorter = without_dimension(folded);

    for (int k = 0; k < N_TABLE; k++) {
        const size_t theirs = strlen(table[k].theirs);

        if ((theirs == len || theirs == shorter) && !strncmp(table[k].theirs, folded, theirs) &&
            !i--)
            return table[k].ours;
    }
    return NULL;
}

const char *foreign_at(int i) {
    return i < N_TABLE ? table[i].ours : NULL;
}
