"""Prints tests/cmd/golden_measures.h: measures of a validation and their standard errors, by
scikit-learn (1.2), or by numpy from the formula of the source. Errors of what is no mean are by the
infinitesimal jackknife, of the weights that scikit-learn takes."""

import numpy as np
from sklearn import metrics

N, CLASSES, PIXELS = 200, 3, 12
I, J = np.arange(N)[:, None], np.arange(CLASSES)[None, :]
P = np.arange(PIXELS)[None, :]

# As tests/cmd/measured.h makes them: small whole numbers over 8 or 64: no two programs round them.
LABEL = ((I * I + I // 3) % 5 % 3)[:, 0]
SCORES = ((I * I * (J + 3) + 5 * I * J) % 23) / 8.0 + (J == LABEL[:, None]) * 1.0
SCORES = SCORES + (I % 29) / 64.0 * (J == 1)
MASK = (I * (P + 2) + P * P + I * I * 3) % 7 % 4 - 1
GUESS = np.where((I * 5 + P * 3) % 11 < 4 + I % 5, np.maximum(MASK, 0), (I + P) % 3)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


# What is equal but for the order of additions is a tie.
PROBABILITY = softmax(SCORES).round(13)
TAKEN = SCORES.argmax(1)
NLL = -np.log(PROBABILITY[np.arange(N), LABEL])


def mean_error(s, w):
    """Of the mean sum(s) / sum(w) over samples."""
    r = s.sum() / w.sum()
    return r, np.sqrt(((s - r * w) ** 2).sum()) / w.sum()


def infinitesimal(f, *arrays):
    """Of a function of weighted samples: the infinitesimal jackknife, by slopes along the weights."""
    e, slopes = 1e-3 * np.eye(N), np.empty(N)
    for i in range(N):
        slopes[i] = (f(*arrays, 1 + e[i]) - f(*arrays, 1 - e[i])) / 2e-3
    return f(*arrays, np.ones(N)), np.sqrt((slopes**2).sum())


def ece(p, label, bins):
    confidence, hit = p.max(1), p.argmax(1) == label
    edges, sum_ = np.linspace(0, 1, bins + 1), 0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            sum_ += inside.mean() * abs(hit[inside].mean() - confidence[inside].mean())
    return sum_


def mean_iou(mask, guess, weight):
    w = np.repeat(weight, PIXELS)[mask.ravel() >= 0]
    label, guess = mask[mask >= 0], guess[mask >= 0]
    return np.mean([w[(label == k) & (guess == k)].sum() / w[(label == k) | (guess == k)].sum()
                    for k in range(CLASSES)])


def pixel_accuracy():
    return mean_error(((MASK == GUESS) & (MASK >= 0)).sum(1), (MASK >= 0).sum(1))


def show(name, value, error=None):
    print('    {"%s", %.9f, %s},' % (name, value, "NAN" if error is None else "%.9f" % error))


def weighted(measure, **arguments):
    return lambda label, guess, weight: measure(label, guess, sample_weight=weight, **arguments)


def f1(average):
    return weighted(metrics.f1_score, average=average)


WEIGHT = np.array([1, 2, 0.5])[LABEL]
ONES = np.ones(N)
HITS = (TAKEN == LABEL) * 1.0
BRIER = ((PROBABILITY - np.eye(CLASSES)[LABEL]) ** 2).sum(1)
BINARY = LABEL == 1

print("/* Made by tests/golden/measures.py. */")
print("static const struct golden_measure golden_measures[] = {")
show("loss", *mean_error(NLL, ONES))
show("weighted", *mean_error(WEIGHT * NLL, WEIGHT))
show("both", *infinitesimal(lambda a, b, w: ((a + 2 * b) * w).sum() / w.sum(), NLL, BRIER))
show("perplexity", *infinitesimal(lambda a, w: np.exp((a * w).sum() / w.sum()), NLL))
show("top1", *mean_error(HITS, ONES))
show("brier", *mean_error(BRIER, ONES))
show("ece5", ece(PROBABILITY, LABEL, 5))
show("ece15", ece(PROBABILITY, LABEL, 15))
show("area", metrics.roc_auc_score(LABEL, PROBABILITY, multi_class="ovr"))
show("area1", metrics.roc_auc_score(BINARY, PROBABILITY[:, 1]))
show("ap", np.mean([metrics.average_precision_score(LABEL == k, PROBABILITY[:, k])
                    for k in range(CLASSES)]))
show("ap1", metrics.average_precision_score(BINARY, PROBABILITY[:, 1]))
show("macro", *infinitesimal(f1("macro"), LABEL, TAKEN))
show("micro", *infinitesimal(f1("micro"), LABEL, TAKEN))
show("weighted_f1", *infinitesimal(f1("weighted"), LABEL, TAKEN))
show("precision", *infinitesimal(
    weighted(metrics.precision_score, average="weighted"), LABEL, TAKEN))
show("matthews", *infinitesimal(weighted(metrics.matthews_corrcoef), LABEL, TAKEN))
show("kappa", *infinitesimal(weighted(metrics.cohen_kappa_score), LABEL, TAKEN))
show("balanced", *infinitesimal(weighted(metrics.balanced_accuracy_score), LABEL, TAKEN))
show("pixels", *pixel_accuracy())
show("miou", *infinitesimal(mean_iou, MASK, GUESS))
print("};")
fpr, tpr, _ = metrics.roc_curve(BINARY, PROBABILITY[:, 1], drop_intermediate=False)
# Where it rises at one rate of false positives: the highest.
x = np.linspace(0, 1, 5)
rises = np.array([tpr[fpr <= v].max() if (fpr == v).any() else np.interp(v, fpr, tpr) for v in x])
print("static const double golden_roc[5] = {%s};" % ", ".join("%.9f" % v for v in rises))
print("/* labels, precision, recall, F1 of each class */")
rows = np.array(metrics.precision_recall_fscore_support(LABEL, TAKEN)).T[:, [3, 0, 1, 2]]
print("static const double golden_classes[3][4] = {%s};" % ", ".join(
    "{%s}" % ", ".join("%.9f" % v for v in row) for row in rows))
print("/* index, label, guess, loss, p of the guess, p of the label of the worst samples */")
worst = np.lexsort((np.arange(N), -NLL.round(9)))[:6]
print("static const double golden_worst[6][6] = {%s};" % ", ".join(
    "{%d, %d, %d, %.9f, %.9f, %.9f}" % (i, LABEL[i], TAKEN[i], NLL[i], PROBABILITY[i].max(),
                                        PROBABILITY[i, LABEL[i]]) for i in worst))
