"""Prints the numbers in tests/core/ops of yolo_loss, yolo_boxes and yolo_scores: the definitions of
Redmon and Farhadi 2018 (arXiv:1804.02767), written with PyTorch, IoU losses by torchvision."""

import math

import torch
import torch.nn.functional as F
from torchvision.ops import box_iou, complete_box_iou_loss, generalized_box_iou_loss

torch.set_default_dtype(torch.float64)

ANCHORS = [(4, 6), (10, 8), (20, 16), (30, 30)]
OWN, CLASSES, ROWS, COLUMNS, HEIGHT, WIDTH = [1, 2], 3, 2, 3, 32, 48
TRUTH = [[[2, 3, 13, 12, 1], [17, 17, 37, 31, 0], [0, 0, 0, 0, -1], [1, 1, 5, 7, 2]],
         [[30, 2, 41, 9, 2], [31, 1, 40, 10, 0], [4, 5, 23, 23, 1], [33, 18, 47, 30, 2]]]


def head():
    x = torch.arange(2 * ROWS * COLUMNS * 2 * (5 + CLASSES))
    return (1.5 * torch.sin(0.7 * x) + 0.5 * torch.cos(3.1 * x)).reshape(2, ROWS, COLUMNS, 2, -1)


def decode(x):
    column = torch.arange(COLUMNS)[None, None, :, None]
    row = torch.arange(ROWS)[None, :, None, None]
    size = torch.tensor([ANCHORS[i] for i in OWN]) * torch.exp(x[..., 2:4])
    centre = torch.stack([(column + x[..., 0].sigmoid()) * WIDTH / COLUMNS,
                          (row + x[..., 1].sigmoid()) * HEIGHT / ROWS], -1)
    return torch.cat([centre - size / 2, centre + size / 2], -1)


def likeness(w, h, anchor):
    both = min(w, anchor[0]) * min(h, anchor[1])
    return both / (w * h + anchor[0] * anchor[1] - both)


def box_term(kind, x, box, t, j, i, anchor):
    w, h = t[2] - t[0], t[3] - t[1]
    goal = torch.tensor([(t[0] + t[2]) / 2 / WIDTH * COLUMNS - i, (t[1] + t[3]) / 2 / HEIGHT * ROWS - j])
    size = torch.tensor([math.log(w / anchor[0]), math.log(h / anchor[1])])
    truth = torch.tensor([t[:4]], dtype=torch.float64)
    if kind in ("bce", "mse"):
        centre = (F.binary_cross_entropy_with_logits(x[:2], goal, reduction="sum") if kind == "bce"
                  else ((x[:2].sigmoid() - goal) ** 2).sum() / 2)
        return (2 - w * h / (WIDTH * HEIGHT)) * (centre + ((x[2:4] - size) ** 2).sum() / 2)
    if kind == "iou":
        return 1 - box_iou(box[None], truth)[0, 0]
    return {"giou": generalized_box_iou_loss, "ciou": complete_box_iou_loss}[kind](box[None], truth)[0]


def loss(kind, x, ignore, weights=(1, 1, 1, 1)):
    boxes, total, positives = decode(x), 0, 0
    for n, truths in enumerate(TRUTH):
        taken = {}
        for t in truths:
            if t[4] < 0:
                continue
            best = max(range(len(ANCHORS)), key=lambda a: likeness(t[2] - t[0], t[3] - t[1], ANCHORS[a]))
            if best in OWN:
                place = (int((t[1] + t[3]) / 2 / HEIGHT * ROWS), int((t[0] + t[2]) / 2 / WIDTH * COLUMNS),
                         OWN.index(best))
                taken[place] = (t, taken.get(place, (None, set()))[1] | {t[4]})
        real = torch.tensor([t[:4] for t in truths if t[4] >= 0], dtype=torch.float64)
        best_iou = box_iou(boxes[n].reshape(-1, 4), real).amax(1).reshape(ROWS, COLUMNS, len(OWN))
        positives += len(taken)
        for j in range(ROWS):
            for i in range(COLUMNS):
                for a in range(len(OWN)):
                    row = x[n, j, i, a]
                    if (j, i, a) in taken:
                        t, classes = taken[j, i, a]
                        wanted = torch.tensor([float(c in classes) for c in range(CLASSES)])
                        total = total + weights[0] * box_term(kind, row, boxes[n, j, i, a], t, j, i,
                                                              ANCHORS[OWN[a]])
                        total = total + weights[1] * F.softplus(-row[4])
                        total = total + weights[3] * F.binary_cross_entropy_with_logits(
                            row[5:], wanted, reduction="sum")
                    elif best_iou[j, i, a] <= ignore:
                        total = total + weights[2] * F.softplus(row[4])
                    else:
                        ignored.add((n, j, i, a))
    return total, positives


ignored = set()
for kind in ("bce", "mse", "iou", "giou", "ciou"):
    total, positives = loss(kind, head(), 0.3)
    print(kind, "%.12f" % total.item(), "positives", positives, "ignored", len(ignored))
print("weights", "%.12f" % loss("giou", head(), 0.3, (5, 2, 0.5, 3))[0].item())
ignored.clear()
print("ignore 0.7", "%.12f" % loss("bce", head(), 0.7)[0].item(), "ignored", len(ignored))
print("boxes of row 5 and 17")
for n, k in ((0, 5), (1, 5)):
    print(["%.10f" % v for v in decode(head())[n].reshape(-1, 4)[k]])
    x = head()[n].reshape(-1, 5 + CLASSES)[k]
    print(["%.10f" % v for v in x[4].sigmoid() * x[5:].sigmoid()])
