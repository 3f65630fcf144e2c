"""Prints tests/core/learn/golden_optim.h and golden_schedule.h: what PyTorch computes.

    python3 tests/golden/optimizers.py optim    > tests/core/learn/golden_optim.h
    python3 tests/golden/optimizers.py schedule > tests/core/learn/golden_schedule.h

sgd, adagrad, rmsprop, adam and adamw are torch.optim's own classes, in double. PyTorch has no l1,
no lars and no lamb: l1 is added to the gradient that its classes get; the other two are written
here after the papers (arXiv:1708.03888, algorithm 1; arXiv:1904.00962, algorithm 2), lars with
PyTorch's SGD for the momentum and what is excluded as in MLPerf's ResNet-50 (`bias` and
`batch_normalization` of its skip_list): neither decayed nor adapted.

Schedules are torch.optim.lr_scheduler's, asked before each of the 40 updates of a job of 10 epochs.
What they count in steps ours count in epochs: an exponential's gamma is that of an epoch, so that
PyTorch gets its 4th root. A warm-up is LinearLR in front of the others, by SequentialLR. The rates
of MLPerf's ResNet-50 are those of PolynomialDecayWithWarmup in its reference program
(github.com/mlcommons/training, image_classification/tensorflow2/lars_util.py), written here.
"""

import sys
import textwrap
import warnings

import torch
from torch.optim import lr_scheduler as S

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.double)
torch.manual_seed(1)

LEN, STEPS = 11, 5  # a length that no vector of a processor divides
W = torch.randn(LEN)
DW = torch.randn(STEPS, LEN) * 0.3
LR = [0.1, 0.1, 0.05, 0.2, 0.01]


def numbers(values):
    return "{" + ", ".join(repr(float(v)) for v in values) + "}"


def show(text, indent="    "):
    print("\n".join(textwrap.wrap(text, 98, initial_indent=indent, subsequent_indent="     ")))


def settings(args):
    return "{" + (", ".join(f'{{"{k}", {float(v)!r}}}' for k, v in args.items()) or "{0, 0}") + "}"


class Lars:
    """Algorithm 1: v = m v + rate * local * (g + decay w); w -= v."""

    def __init__(self, params, lr, momentum, weight_decay, trust, eps, decay):
        self.w, self.decay = params[0], decay
        self.weight_decay, self.trust, self.eps = weight_decay, trust, eps
        self.sgd = torch.optim.SGD(params, lr=1.0, momentum=momentum)
        self.param_groups = [{"lr": lr}]

    def step(self):
        w, g, rate = self.w.data, self.w.grad, self.param_groups[0]["lr"]
        if self.decay:
            nw, ng = float(w.norm()), float(g.norm())
            rate *= self.trust * nw / (ng + self.weight_decay * nw + self.eps)
            g = g + self.weight_decay * w
        self.w.grad = rate * g
        self.sgd.step()


class Lamb:
    """Algorithm 2, phi(x) = x."""

    def __init__(self, params, lr, beta1, beta2, eps, weight_decay, decay):
        self.w, self.decay, self.weight_decay = params[0], decay, weight_decay
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.param_groups = [{"lr": lr}]
        self.m = self.v = torch.zeros_like(self.w)
        self.t = 0

    def step(self):
        w, g, rate = self.w.data, self.w.grad, self.param_groups[0]["lr"]
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        m = self.m / (1 - self.beta1**self.t)
        v = self.v / (1 - self.beta2**self.t)
        step = m / (v.sqrt() + self.eps)
        if self.decay:
            step = step + self.weight_decay * w
            rate *= float(w.norm() / step.norm())
        self.w.data = w - rate * step


def torch_optimizer(name, w, args, decay):
    args = dict(args)
    if not decay:
        args.pop("weight_decay", 0)
    if "beta1" in args:
        args["betas"] = args.pop("beta1"), args.pop("beta2")
    cls = {"sgd": torch.optim.SGD, "adagrad": torch.optim.Adagrad, "rmsprop": torch.optim.RMSprop,
           "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    if name == "adamw":
        args.setdefault("weight_decay", 0.0)
    if name == "sgd" and "nesterov" in args:
        args["nesterov"] = bool(args["nesterov"])
    return cls([w], lr=LR[0], **args)


BIAS, NORM = 1, 2  # the bits of `exclude`


def optim_case(name, args, decay=True, scale=1.0, norm=False):
    w = torch.nn.Parameter(W.clone())
    torch_args = {k: v for k, v in args.items() if k not in ("l1", "exclude")}
    if name in ("lars", "lamb"):
        adapted = decay or not args.get("exclude", BIAS | NORM) & (NORM if norm else BIAS)
        make = {"lars": Lars, "lamb": Lamb}[name]
        optimizer = make([w], LR[0], **torch_args, decay=adapted)
    else:
        optimizer = torch_optimizer(name, w, torch_args, decay)
    rows = []
    for dw, lr in zip(DW, LR):
        w.grad = scale * dw + (args.get("l1", 0) * w.data.sign() if decay else 0)
        optimizer.param_groups[0]["lr"] = lr
        optimizer.step()
        rows.append(numbers(w.data))
    show(f'{{"{name}", {settings(args)}, {str(decay).lower()}, {str(norm).lower()}, {scale}, '
         f'{{{", ".join(rows)}}}}},')


OPTIM_HEAD = """/* Made by tests/golden/optimizers.py: weights after each update, by PyTorch. */
#pragma once
#include <stdbool.h>

/* clang-format off */
enum { GOLDEN_LEN = %d, GOLDEN_UPDATES = %d, GOLDEN_ARGS = 6 };

struct golden_optim {
    const char *name;
    struct {
        const char *name;
        double value;
    } args[GOLDEN_ARGS]; /* others: as word_defaults() */
    bool decay, norm;
    double scale; /* of the gradients */
    double w[GOLDEN_UPDATES][GOLDEN_LEN];
};
"""


def optim():
    print(OPTIM_HEAD % (LEN, STEPS))
    show(f"static const double golden_w[GOLDEN_LEN] = {numbers(W)};", "")
    show("static const double golden_dw[GOLDEN_UPDATES][GOLDEN_LEN] = {"
         + ", ".join(numbers(g) for g in DW) + "};", "")
    show(f"static const double golden_lr[GOLDEN_UPDATES] = {numbers(LR)};", "")
    print("static const struct golden_optim golden_optims[] = {")
    optim_case("sgd", {})
    optim_case("sgd", {"momentum": 0.9})
    optim_case("sgd", {"momentum": 0.9, "weight_decay": 0.02})
    optim_case("sgd", {"momentum": 0.8, "nesterov": 1, "weight_decay": 0.01})
    optim_case("sgd", {"momentum": 0.8, "weight_decay": 0.3, "l1": 0.2}, decay=False)
    optim_case("sgd", {"weight_decay": 0.1, "l1": 0.02}, scale=0.5)
    optim_case("adagrad", {})
    optim_case("adagrad", {"eps": 0.01, "weight_decay": 0.05})
    optim_case("adagrad", {"weight_decay": 0.05, "l1": 0.1}, decay=False)
    optim_case("rmsprop", {})
    optim_case("rmsprop", {"alpha": 0.9, "eps": 0.001, "momentum": 0.5, "weight_decay": 0.05})
    optim_case("rmsprop", {"momentum": 0.5, "weight_decay": 0.05, "l1": 0.1}, decay=False)
    optim_case("adam", {"beta1": 0.9, "beta2": 0.999})
    optim_case("adam", {"beta1": 0.5, "beta2": 0.99, "eps": 0.001, "weight_decay": 0.1})
    optim_case("adam", {"beta1": 0.5, "beta2": 0.9, "weight_decay": 0.1, "l1": 0.1}, decay=False)
    optim_case("adamw", {"beta1": 0.9, "beta2": 0.999, "weight_decay": 0.01})
    optim_case("adamw", {"beta1": 0.5, "beta2": 0.99, "eps": 0.001, "weight_decay": 0.3,
                         "l1": 0.05})
    optim_case("adamw", {"beta1": 0.5, "beta2": 0.9, "weight_decay": 0.3}, decay=False)
    lars = {"momentum": 0.9, "weight_decay": 0.01, "trust": 0.5, "eps": 0.1}
    optim_case("lars", {"momentum": 0.9, "weight_decay": 0.0, "trust": 0.001, "eps": 0.0})
    optim_case("lars", lars, scale=0.25)
    optim_case("lars", lars, decay=False)
    optim_case("lars", lars, decay=False, norm=True)
    optim_case("lars", {**lars, "exclude": 0}, decay=False)
    optim_case("lars", {**lars, "exclude": 0}, decay=False, norm=True)
    optim_case("lars", {**lars, "exclude": BIAS}, decay=False)
    optim_case("lars", {**lars, "exclude": BIAS}, decay=False, norm=True)
    optim_case("lars", {**lars, "exclude": NORM})
    lamb = {"beta1": 0.5, "beta2": 0.99, "eps": 0.001, "weight_decay": 0.1}
    optim_case("lamb", {"beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.01})
    optim_case("lamb", lamb, scale=2.0)
    optim_case("lamb", lamb, decay=False)
    optim_case("lamb", {**lamb, "exclude": 0}, decay=False)
    optim_case("lamb", {**lamb, "exclude": NORM}, decay=False)
    optim_case("lamb", {**lamb, "exclude": NORM}, decay=False, norm=True)
    print("};")


EPOCHS, PER_EPOCH = 10, 4
N = EPOCHS * PER_EPOCH


def rates(lr, make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = make(optimizer)
    out = []
    for _ in range(N):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(out) < N:
            scheduler.step()
    return out


def schedule_case(name, lr, args, make, warmup=0.0, at=()):
    n = round(warmup * PER_EPOCH)

    def warmed(optimizer):
        rise = S.LinearLR(optimizer, start_factor=1 / n, total_iters=n - 1)
        return S.SequentialLR(optimizer, [rise, make(optimizer)], milestones=[n])

    args = {**args, **({"warmup": warmup} if warmup else {})}
    show(f'{{"{name}", {lr}, {settings(args)}, {len(at)}, {{{", ".join(map(str, at)) or 0}}}, '
         f"{numbers(rates(lr, warmed if warmup else make))}}},")


def mlperf(lr, warmup, end):
    """Its rate of update `step`, counted from 1; the steps after the warm-up are one more than
    there are."""
    warm = warmup * PER_EPOCH
    left = N - warm + 1

    def rate(step):
        if step <= warm:
            return lr * step / warm
        return (lr - end) * (1 - (step - warm) / left) ** 2 + end

    return [rate(step) for step in range(1, N + 1)]


def plateau_case(mode, measures, lr, factor, patience, low, threshold):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = S.ReduceLROnPlateau(optimizer, mode=mode, factor=factor, patience=patience,
                                    threshold=threshold, min_lr=low, eps=0)
    out = []
    for m in measures:
        scheduler.step(m)
        out.append(optimizer.param_groups[0]["lr"])
    show(f"{{{str(mode == 'max').lower()}, {lr}, {factor}, {patience}, {low}, {threshold}, "
         f"{len(measures)}, {numbers(measures)}, {numbers(out)}}},")


SCHEDULE_HEAD = """/* Made by tests/golden/optimizers.py: rates before each update, by PyTorch. */
#pragma once
#include <stdbool.h>

/* clang-format off */
enum { GOLDEN_EPOCHS = %d, GOLDEN_PER_EPOCH = %d, GOLDEN_UPDATES = %d, GOLDEN_MEASURES = 12 };

struct golden_schedule {
    const char *name;
    double lr;
    struct {
        const char *name;
        double value;
    } args[4]; /* others: as word_defaults() */
    int n_at;
    double at[3]; /* of multistep */
    double rate[GOLDEN_UPDATES];
};

struct golden_plateau {
    bool maximise;
    double lr, factor;
    int patience;
    double min, threshold;
    int n;
    double measure[GOLDEN_MEASURES];
    double rate[GOLDEN_MEASURES]; /* after each */
};

static const struct golden_schedule golden_schedules[] = {"""


def schedule():
    print(SCHEDULE_HEAD % (EPOCHS, PER_EPOCH, N))
    same = lambda o: S.LambdaLR(o, lambda _: 1.0)
    steps = lambda warm: N - round(warm * PER_EPOCH)
    schedule_case("constant", 0.8, {}, same)
    schedule_case("constant", 0.8, {}, same, warmup=2.5)
    schedule_case("step", 0.4, {"every": 3.0}, lambda o: S.StepLR(o, 3 * PER_EPOCH))
    schedule_case("step", 0.4, {"every": 1.5, "gamma": 0.5}, lambda o: S.StepLR(o, 6, gamma=0.5))
    schedule_case("multistep", 0.4, {"gamma": 0.2}, lambda o: S.MultiStepLR(o, [8, 22], gamma=0.2),
                  at=(2.0, 5.5))
    schedule_case("exponential", 0.5, {"gamma": 0.7}, lambda o: S.ExponentialLR(o, 0.7**0.25))
    schedule_case("exponential", 0.5, {"gamma": 0.7}, lambda o: S.ExponentialLR(o, 0.7**0.25),
                  warmup=2.0)
    schedule_case("poly", 0.2, {}, lambda o: S.PolynomialLR(o, N, 0.9))
    schedule_case("poly", 0.2, {"power": 2.0}, lambda o: S.PolynomialLR(o, steps(2.0), 2.0),
                  warmup=2.0)
    floor = lambda o: S.LambdaLR(o, lambda t: (0.01 + 0.19 * (1 - t / N) ** 2) / 0.2)
    schedule_case("poly", 0.2, {"power": 2.0, "min": 0.01}, floor)
    schedule_case("cosine", 0.4, {}, lambda o: S.CosineAnnealingLR(o, N))
    schedule_case("cosine", 0.4, {"min": 0.01},
                  lambda o: S.CosineAnnealingLR(o, steps(2.0), 0.01), warmup=2.0)
    schedule_case("one_cycle", 0.1, {},
                  lambda o: S.OneCycleLR(o, 0.1, total_steps=N, cycle_momentum=False))
    schedule_case("one_cycle", 0.3, {"up": 0.5, "start_div": 10.0, "end_div": 100.0},
                  lambda o: S.OneCycleLR(o, 0.3, total_steps=N, pct_start=0.5, div_factor=10,
                                         final_div_factor=100, cycle_momentum=False))
    print("};\n\n/* Of MLPerf's ResNet-50: lr 10.5, warm-up of 2 epochs, end 1e-4. */")
    show(f"static const double golden_mlperf[GOLDEN_UPDATES] = {numbers(mlperf(10.5, 2, 1e-4))};", "")
    print("\nstatic const struct golden_plateau golden_plateaus[] = {")
    plateau_case("min", [1, 0.9, 0.89995, 0.95, 0.91, 0.5, 0.6, 0.6, 0.6, 0.6], 0.1, 0.1, 1, 2e-3,
                 1e-4)
    plateau_case("max", [0.1, 0.2, 0.2, 0.2, 0.3, 0.301, 0.302, 0.303], 0.1, 0.5, 1, 0.0, 0.01)
    plateau_case("min", [3, 3, 3, 2, 2, 2, 2, 1.9, 1.9, 1.9, 1.9, 1.9], 1.0, 0.3, 0, 0.05, 0.0)
    print("};")


{"optim": optim, "schedule": schedule}[sys.argv[1]]()
