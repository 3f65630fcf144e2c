"""Prints tests/core/ops/golden_detection.h: measures of boxes that were found, written from their
definitions: those of COCO's evaluation (https://cocodataset.org/#detection-eval) and of the
development kit of Pascal VOC 2012, picture by picture, without regard to speed."""

import numpy as np

N, K, M, CLASSES = 60, 14, 6, 6


def draw(s, row, what, n):
    x = ((s * 64 + row) * 16 + what + 1) * 2654435761 & 0xFFFFFFFF
    x = (x ^ x >> 15) * 2246822519 & 0xFFFFFFFF
    x = (x ^ x >> 13) * 3266489917 & 0xFFFFFFFF
    return (x ^ x >> 16) % n


def any_box(s, row):
    x, y = draw(s, row, 0, 40), draw(s, row, 1, 40)
    return [x, y, x + 4 + draw(s, row, 2, 30), y + 4 + draw(s, row, 3, 30)]


class Box:
    def __init__(self, corners, label):
        self.corners, self.label, self.difficult, self.crowd = corners, label, False, False

    def area(self):
        x1, y1, x2, y2 = self.corners
        return max(x2 - x1, 0) * max(y2 - y1, 0)

    def overlap(self, found):
        a, b = self.corners, found.corners
        w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        shared = w * h if w > 0 and h > 0 else 0
        whole = found.area() if self.crowd else self.area() + found.area() - shared
        return shared / whole if whole else 0.0


def boxes_of(s):
    rows = []
    for k in range(draw(s, 50, 0, M + 1)):
        label = 5 if draw(s, k, 6, 15) == 0 else draw(s, k, 4, 3) + (draw(s, k, 5, 12) == 0)
        box = Box(any_box(s, k), label)
        box.difficult = label == 5 or draw(s, k, 7, 6) == 0
        box.crowd = label != 5 and draw(s, k, 8, 6) == 0
        rows.append(box)
    return rows


def found_of(s, boxes):
    rows = []
    for k in range(K):
        row, near = 10 + k, draw(s, 10 + k, 9, M)
        found = Box(any_box(s, row), draw(s, row, 4, 6) - 1)
        found.score = draw(s, row, 5, 16) / 16
        if near < len(boxes) and draw(s, row, 6, 4):
            found.corners = [c + draw(s, row, 10 + i, 5) - 2 for i, c in enumerate(boxes[near].corners)]
            if draw(s, row, 7, 8):
                found.label = boxes[near].label
        if found.label >= 0:
            rows.append(found)
    return rows


class Rules:
    def __init__(self, difficult, crowd, kind="coco", most=None, above=0, below=1e12):
        self.difficult, self.crowd, self.kind, self.most = difficult, crowd, kind, most
        self.above, self.below = above, below

    def pictures(self):
        for s in range(N):
            boxes = boxes_of(s)
            found = found_of(s, boxes)
            for box in boxes:
                box.difficult &= self.difficult
                box.crowd &= self.crowd
            yield boxes, found

    def counts(self, box):
        return not box.difficult and not box.crowd and self.above <= box.area() <= self.below


def coco_picture(rules, boxes, found, iou):
    """(score, True, False or None) of what was found of a class in a picture, the best first."""
    taken, out = set(), []
    for f in sorted(found, key=lambda f: -f.score)[: rules.most]:
        best = None
        for ignored in (False, True):
            free = [b for b in boxes if rules.counts(b) != ignored and (b.crowd or b not in taken)]
            fit = [b for b in free if b.overlap(f) >= min(iou, 1 - 1e-10)]
            if fit:
                most = max(b.overlap(f) for b in fit)
                best = [b for b in fit if b.overlap(f) == most][-1]
                break
        if best:
            taken.add(best)
            out.append((f.score, True if rules.counts(best) else None))
        else:
            out.append((f.score, False if rules.above <= f.area() <= rules.below else None))
    return out


def voc_picture(rules, boxes, found, iou):
    taken, out = set(), []
    for f in sorted(found, key=lambda f: -f.score)[: rules.most]:
        best = max(boxes, key=lambda b: b.overlap(f), default=None)
        if best is None or best.overlap(f) < iou:
            out.append((f.score, False if rules.above <= f.area() <= rules.below else None))
        elif not rules.counts(best):
            out.append((f.score, None))
        else:
            out.append((f.score, best not in taken))
            taken.add(best)
    return out


def ranked(rules, label, iou):
    """How many boxes count, and whether what was found is right, of all pictures, best first."""
    n, rows = 0, []
    for boxes, found in rules.pictures():
        boxes, found = [b for b in boxes if b.label == label], [f for f in found if f.label == label]
        n += sum(rules.counts(b) for b in boxes)
        rows += (coco_picture if rules.kind == "coco" else voc_picture)(rules, boxes, found, iou)
    return n, [hit for _, hit in sorted(rows, key=lambda r: -r[0]) if hit is not None]


def precision_at(hits, n, recall):
    """The best precision among those cuts of the list that have this recall."""
    h = np.cumsum(hits)
    fit = [h[i] / (i + 1) for i in range(len(hits)) if h[i] / n >= recall]
    return max(fit, default=0.0)


def average_precision(kind, n, hits):
    if kind == "coco":
        return np.mean([precision_at(hits, n, r) for r in np.linspace(0, 1, 101)])
    if kind == "voc11":
        return np.mean([precision_at(hits, n, i / 10) for i in range(11)])
    return sum(precision_at(hits, n, (i + 1) / n) / n for i in range(sum(hits)))


ALL = list(np.linspace(0.5, 0.95, 10))


def of_classes(rules, ious, measure):
    """Mean over ious for each class; nan where no box counts."""
    out = []
    for label in range(CLASSES):
        cases = [ranked(rules, label, iou) for iou in ious]
        out.append(np.nan if cases[0][0] == 0 else np.mean([measure(*c) for c in cases], axis=0))
    return out


def class_map(rules, ious):
    return of_classes(rules, ious, lambda n, hits: average_precision(rules.kind, n, hits))


def average_recall(rules, ious):
    return [np.nanmean(of_classes(rules, ious, lambda n, hits: sum(hits) / n))]


def pr_curve(rules, ious, points):
    curves = of_classes(rules, ious, lambda n, hits: np.array(
        [precision_at(hits, n, i / (points - 1)) for i in range(points)]))
    return [v for c in curves for v in (c if np.ndim(c) else [c] * points)]


def detection_counts(rules, iou, score):
    sums = np.zeros(4)
    for boxes, found in rules.pictures():
        taken = set()
        for f in found:
            fit = [b for b in boxes if b.label == f.label and b.overlap(f) >= iou]
            free = [b for b in fit if rules.counts(b) and b not in taken]
            if f.score < score:
                continue
            if free:
                taken.add(max(free, key=lambda b: b.overlap(f)))
                sums[0] += 1
            elif any(b in taken for b in fit):
                sums[2] += 1
            elif not fit:
                sums[3] += 1
        sums[1] += sum(rules.counts(b) and b not in taken for b in boxes)
    return sums / N


def mean(values):
    return [np.nanmean(values)]


NONE, BOTH, HARD, CROWD = (False, False), (True, True), (True, False), (False, True)
CASES = [
    ("map", NONE, "", lambda f: mean(class_map(Rules(*f), ALL))),
    ("map", BOTH, "", lambda f: mean(class_map(Rules(*f), ALL))),
    ("map", CROWD, "iou=0.5", lambda f: mean(class_map(Rules(*f), [0.5]))),
    ("map", HARD, "iou=0.75", lambda f: mean(class_map(Rules(*f), [0.75]))),
    ("map", BOTH, "iou=[0.5, 0.75], most=2", lambda f: mean(class_map(Rules(*f, most=2), [0.5, 0.75]))),
    ("map", BOTH, "above=100, below=400",
     lambda f: mean(class_map(Rules(*f, above=100, below=400), ALL))),
    ("map", NONE, "iou=0.5, kind=area", lambda f: mean(class_map(Rules(*f, kind="area"), [0.5]))),
    ("map", HARD, "iou=0.5, kind=area", lambda f: mean(class_map(Rules(*f, kind="area"), [0.5]))),
    ("map", HARD, "iou=0.5, kind=voc11", lambda f: mean(class_map(Rules(*f, kind="voc11"), [0.5]))),
    ("map", BOTH, "iou=0.6, kind=voc11", lambda f: mean(class_map(Rules(*f, kind="voc11"), [0.6]))),
    ("class_map", BOTH, "classes=6", lambda f: class_map(Rules(*f), ALL)),
    ("class_map", HARD, "classes=6, iou=0.5, kind=area",
     lambda f: class_map(Rules(*f, kind="area"), [0.5])),
    ("average_recall", BOTH, "", lambda f: average_recall(Rules(*f, most=100), ALL)),
    ("average_recall", BOTH, "most=1", lambda f: average_recall(Rules(*f, most=1), ALL)),
    ("average_recall", NONE, "most=2, iou=0.5", lambda f: average_recall(Rules(*f, most=2), [0.5])),
    ("pr_curve", BOTH, "classes=6, points=11", lambda f: pr_curve(Rules(*f), [0.5], 11)),
    ("pr_curve", HARD, "classes=6, points=5, iou=0.75, kind=area",
     lambda f: pr_curve(Rules(*f, kind="area"), [0.75], 5)),
    ("detection_counts", NONE, "", lambda f: detection_counts(Rules(*f), 0.5, 0.5)),
    ("detection_counts", BOTH, "iou=0.7, score=0.25", lambda f: detection_counts(Rules(*f), 0.7, 0.25)),
]


def number(v):
    return "NAN" if np.isnan(v) else repr(float(v))


print("/* Printed by tests/golden/detection.py. */")
print("#pragma once\n#include <math.h>\n")
print("static const struct golden_detection {")
print("    const char *op, *with;\n    int difficult, crowd, n;\n    double y[66];\n} golden_detection[] = {")
for op, flags, args, compute in CASES:
    values = list(compute(flags))
    print(f'    {{"{op}", "{args}", {int(flags[0])}, {int(flags[1])}, {len(values)},')
    print("     {" + ", ".join(number(v) for v in values) + "}},")
print("};")
