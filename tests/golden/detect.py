"""What torch 1.13 and torchvision 0.14 make of boxes: prints tests/core/ops/golden_detect.h."""
import math
import textwrap

import torch
import torch.nn.functional as F
from torchvision.models.detection import _utils, ssd
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import (batched_nms, box_iou, complete_box_iou_loss, generalized_box_iou_loss,
                             sigmoid_focal_loss)

torch.set_default_dtype(torch.float64)
torch.manual_seed(4)


def out(name, values):
    v = torch.as_tensor(values).double().reshape(-1).tolist()
    print(f"static const act {name}[] = {{")
    print(textwrap.fill(", ".join(f"{x:.13g}" for x in v), 96, initial_indent="    ",
                        subsequent_indent="    "))
    print("};")


def boxes(n, size, low, high):
    """Whole pixels, so that shares are the same in float."""
    wh = torch.randint(low, high, (n, 2))
    xy = torch.stack([torch.randint(0, size - int(w), (1,)) for w in wh.reshape(-1)]).reshape(n, 2)
    return torch.cat([xy, xy + wh], 1).double()


print("/* golden_detect.h - made by tests/golden/detect.py. */")
print("#pragma once\n#include \"core/base/tensor.h\"\n")

# anchors of a feature map of 2x3 in an image of 37x50
torch.set_default_dtype(torch.float32)
image = ImageList(torch.zeros(1, 3, 37, 50), [(37, 50)])
made = AnchorGenerator(((32.0, 45.25),), ((0.5, 1.0, 2.0),))(image, [torch.zeros(1, 1, 2, 3)])[0]
out("golden_anchors", made)
# default boxes of the middle one of three maps of 2x3, whose places lie 16 pixels apart
image = ImageList(torch.zeros(1, 3, 40, 40), [(40, 40)])
maker = DefaultBoxGenerator([[2], [2, 3], [2]], scales=[0.1, 0.4, 0.8, 1.05], steps=[8, 16, 32])
maps = [torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 1, 1)]
out("golden_default_boxes", maker(image, maps)[0][4:4 + 36])
torch.set_default_dtype(torch.float64)

# decoding: 2 samples of 5 regions
regions = torch.stack([boxes(5, 60, 8, 30), boxes(5, 60, 8, 30)])
deltas = torch.randn(2, 5, 4) * 2
deltas[1, 2, 2] = 30  # beyond the limit
coder = _utils.BoxCoder((10.0, 10.0, 5.0, 5.0))
decoded = torch.stack([coder.decode_single(d, r) for d, r in zip(deltas, regions)])
out("golden_regions", regions)
out("golden_deltas", deltas)
out("golden_decoded", decoded)
clipped = decoded.clone()
clipped[..., 0::2] = clipped[..., 0::2].clamp(0, 48)
clipped[..., 1::2] = clipped[..., 1::2].clamp(0, 40)
out("golden_clipped", clipped)

# matching: 40 regions, 5 boxes of which one is none
many = boxes(40, 60, 8, 30)
truth = torch.cat([boxes(5, 60, 8, 30), torch.tensor([[2.0], [0], [-1], [1], [0]])], 1)
there = truth[truth[:, 4] >= 0]
share = box_iou(there[:, :4], many)


def target(found):
    rows = torch.zeros(len(many), 5)
    rows[:, 4] = found.clamp(max=0)
    rows[found >= 0] = there[found[found >= 0]]
    return rows


out("golden_many", many)
out("golden_truth", truth)
matched = target(_utils.Matcher(0.35, 0.2, allow_low_quality_matches=True)(share))
out("golden_match", matched)
out("golden_match_false", target(_utils.Matcher(0.35, 0.2, False)(share)))
out("golden_match_one", target(_utils.SSDMatcher(0.35)(share)))

# losses: those 40 as 2 samples of 20 rows; logits of 3 classes, with background 4
logits = torch.randn(2, 20, 4)
rows = matched.reshape(2, 20, 5)
counts, positive = rows[..., 4] >= -1, rows[..., 4] >= 0
out("golden_logits", logits)
terms = F.cross_entropy(logits.reshape(-1, 4), (rows[..., 4].reshape(-1) + 1).clamp(min=0).long(),
                        reduction="none").reshape(2, 20) * counts
one_hot = F.one_hot(rows[..., 4].clamp(min=0).long(), 4).double() * positive[..., None]
focal = sigmoid_focal_loss(logits, one_hot, reduction="none").sum(-1) * counts
plain = F.binary_cross_entropy_with_logits(logits, one_hot, reduction="none").sum(-1) * counts
each = positive.sum(1).clamp(min=1)
out("golden_class_losses", [terms.sum() / positive.sum(), terms.sum() / counts.sum(),
                            (focal.sum(1) / each).mean(), plain.sum() / positive.sum()])
# hard negatives as torchvision's SSD chooses them
background = torch.where(rows[..., 4] == -1, terms, torch.full_like(terms, -math.inf))
order = background.sort(1, descending=True)[1].sort(1)[1]
chosen = (order < 1.5 * positive.sum(1, keepdim=True)) & (rows[..., 4] == -1)
hard = rows.clone()
hard[..., 4][(rows[..., 4] == -1) & ~chosen] = -2
out("golden_hard", hard)

# boxes: deltas of the 40 regions
moves = torch.randn(2, 20, 4)
out("golden_moves", moves)
plain_coder = _utils.BoxCoder((1.0, 1.0, 1.0, 1.0))
at, a, d, t = positive, many.reshape(2, 20, 4), moves, rows[..., :4]
code = coder.encode_single(t[at], a[at])
code1 = plain_coder.encode_single(t[at], a[at])
moved = plain_coder.decode_single(d[at], a[at])
n = positive.sum()
shares = box_iou(moved, t[at]).diag()
out("golden_box_losses", [
    F.smooth_l1_loss(d[at], code, reduction="sum", beta=1.0) / n,
    F.smooth_l1_loss(d[at], code1, reduction="sum", beta=1 / 9) / counts.sum(),
    (F.l1_loss(d[at], code1, reduction="none").sum(1) / each[positive.nonzero()[:, 0]]).sum() / 2,
    (1 - shares).mean(), generalized_box_iou_loss(moved, t[at], reduction="mean"),
    complete_box_iou_loss(moved, t[at], reduction="mean")])

# what was found: 40 boxes as two levels of 24 and 16 with scores of 3 classes
scores = torch.rand(40, 3).float().double()
out("golden_scores", scores)


def found(levels, least, before, iou, top, each_class):
    b, s, l = [], [], []
    for at in levels:
        level, score = many[at], scores[at]
        groups = [[j] for j in range(3)] if each_class else [[0, 1, 2]]
        for group in groups:
            flat = score[:, group].reshape(-1)
            best, which = flat.sort(descending=True, stable=True)
            keep = (best > least).nonzero()[:before, 0]
            b.append(level[which[keep] // len(group)])
            s.append(best[keep])
            l.append(torch.tensor(group)[which[keep] % len(group)])
    b, s, l = torch.cat(b), torch.cat(s), torch.cat(l)
    keep = batched_nms(b, s, l, iou)[:top]
    rows = torch.cat([b[keep], l[keep, None].double(), s[keep, None]], 1)
    none = torch.tensor([[0.0, 0, 0, 0, -1, 0]]).repeat(top - len(rows), 1)
    return torch.cat([rows, none])


out("golden_found", found([slice(0, 40)], 0.6, 1000, 0.3, 40, False))
out("golden_found_levels", found([slice(0, 24), slice(24, 40)], 0.3, 10, 0.3, 8, False))
out("golden_found_classes", found([slice(0, 40)], 0.3, 5, 0.2, 12, True))
