"""Prints the numbers in tests/core/learn/test_optim.c and test_schedule.c.

One weight at a time, in Python's doubles, after the pseudo-code of the PyTorch documentation
(torch.optim.SGD, Adagrad, RMSprop, Adam, AdamW and torch.optim.lr_scheduler), not after our code.
"""

from math import cos, pi, sqrt

W = [1.0, -2.0, 0.5]
G = [[0.1, -0.2, 0.3], [-0.4, 0.5, 0.25], [0.7, 0.05, -0.6]]
LR = [0.1, 0.1, 0.05]


def sign(x):
    return (x > 0) - (x < 0)


def run(update):
    out = []
    for j, w in enumerate(W):
        state = {}
        for t in (1, 2, 3):
            w = update(state, w, G[t - 1][j], LR[t - 1], t)
        out.append(w)
    return out


def sgd(momentum=0.0, nesterov=False, weight_decay=0.0, l1=0.0, scale=1.0):
    def update(s, w, g, lr, t):
        g = g * scale + weight_decay * w + l1 * sign(w)
        if momentum:
            s["b"] = momentum * s["b"] + g if t > 1 else g
            g = g + momentum * s["b"] if nesterov else s["b"]
        return w - lr * g
    return update


def adagrad(eps, weight_decay):
    def update(s, w, g, lr, t):
        g += weight_decay * w
        s["sum"] = s.get("sum", 0.0) + g * g
        return w - lr * g / (sqrt(s["sum"]) + eps)
    return update


def rmsprop(alpha, eps, momentum, weight_decay):
    def update(s, w, g, lr, t):
        g += weight_decay * w
        s["v"] = alpha * s.get("v", 0.0) + (1 - alpha) * g * g
        step = g / (sqrt(s["v"]) + eps)
        if momentum > 0:
            s["b"] = momentum * s.get("b", 0.0) + step
            step = s["b"]
        return w - lr * step
    return update


def adam(beta1, beta2, eps, weight_decay, decoupled):
    def update(s, w, g, lr, t):
        if decoupled:
            w = w - lr * weight_decay * w
        else:
            g += weight_decay * w
        s["m"] = beta1 * s.get("m", 0.0) + (1 - beta1) * g
        s["v"] = beta2 * s.get("v", 0.0) + (1 - beta2) * g * g
        return w - lr * (s["m"] / (1 - beta1**t)) / (sqrt(s["v"] / (1 - beta2**t)) + eps)
    return update


def show(name, values):
    print(f"{name:24}", ", ".join(f"{v:.15g}" for v in values))


show("sgd", run(sgd()))
show("sgd momentum", run(sgd(momentum=0.9)))
show("sgd nesterov", run(sgd(momentum=0.9, nesterov=True, weight_decay=0.01)))
show("sgd l1 scale", run(sgd(weight_decay=0.1, l1=0.02, scale=0.5)))
show("adagrad", run(adagrad(1e-10, 0.01)))
show("rmsprop", run(rmsprop(0.99, 1e-8, 0, 0)))
show("rmsprop momentum", run(rmsprop(0.9, 0.001, 0.5, 0.01)))
show("adam", run(adam(0.9, 0.999, 1e-8, 0, False)))
show("adam decay", run(adam(0.5, 0.99, 1e-3, 0.1, False)))
show("adamw decay", run(adam(0.5, 0.99, 1e-3, 0.1, True)))


def one_cycle(total, k, top=0.1, up=0.3, div=25, end_div=1e4):
    """OneCycleLR(max_lr=top, total_steps=total), anneal_strategy='cos', update k from 0."""
    start, low = top / div, top / div / end_div
    phases = [(up * total - 1, start, top), (total - 1, top, low)]
    begin = 0
    for end, a, b in phases:
        if k <= end or end == total - 1:
            pct = (k - begin) / (end - begin)
            return b + (a - b) / 2 * (1 + cos(pi * pct))
        begin = end


def cosine(epoch, lr, low, warmup, epochs):
    """SequentialLR(LinearLR, CosineAnnealingLR(T_max=epochs - warmup)) at whole epochs."""
    return low + (lr - low) * (1 + cos(pi * (epoch - warmup) / (epochs - warmup))) / 2


def plateau(measures, mode, lr, factor, patience, low, threshold):
    best, bad, out = None, 0, []
    for m in measures:
        better = best is None or (
            m < best * (1 - threshold) if mode == "min" else m > best * (1 + threshold))
        if better:
            best, bad = m, 0
        else:
            bad += 1
        if bad > patience:
            lr, bad = max(lr * factor, low), 0
        out.append(lr)
    return out


show("one_cycle 10 x 2 updates", [one_cycle(20, k) for k in (0, 3, 5, 6, 13, 19)])
show("cosine", [cosine(e, 0.4, 0.01, 2, 10) for e in (2, 3, 5, 9)])
show("poly", [0.2 * (1 - e / 8) ** 0.9 for e in (0, 1, 4, 7)])
show("plateau min", plateau([1, 0.9, 0.89995, 0.95, 0.91, 0.5, 0.6, 0.6, 0.6, 0.6], "min",
                            0.1, 0.1, 1, 2e-3, 1e-4))
show("plateau max", plateau([0.1, 0.2, 0.2, 0.2, 0.3], "max", 0.1, 0.5, 1, 0, 1e-4))
