"""What torch 1.13 and torchvision 0.14 make of regions: prints tests/core/ops/golden_regions.h."""
import textwrap

import torch
from torchvision.models.detection import roi_heads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import MultiScaleRoIAlign, roi_align, roi_pool

torch.set_default_dtype(torch.float64)
torch.manual_seed(11)


def out(name, values):
    v = torch.as_tensor(values).double().reshape(-1).tolist()
    print(f"static const act {name}[] = {{")
    print(textwrap.fill(", ".join(f"{x:.13g}" for x in v), 96, initial_indent="    ",
                        subsequent_indent="    "))
    print("};")


def last(x):
    """Channels last."""
    return x.movedim(-3, -1).contiguous()


print("/* golden_regions.h - made by tests/golden/regions.py. */")
print("#pragma once\n#include \"core/base/tensor.h\"\n")

# 2 samples of 3 regions; one leaves the picture of 24 x 32, one is smaller than a pixel of the map
feature = torch.randint(-20, 20, (2, 3, 6, 8)) / 8
regions = torch.tensor([[[3., 2., 19., 17.], [-6., -9., 40., 11.], [8., 8., 10., 9.]],
                        [[0., 0., 32., 24.], [12.5, 3.25, 30.75, 22.5], [20., 18., 45., 40.]]])
each = list(regions)
out("golden_feature", last(feature))
out("golden_rois", regions)
shape = (2, 3, 3, 2, 2)
out("golden_align", last(roi_align(feature, each, 2, 0.25, 2)).reshape(shape[:2] + (2, 2, 3)))
out("golden_aligned", last(roi_align(feature, each, 2, 0.25, 2, True)))
out("golden_adaptive", last(roi_align(feature, each, 2, 0.25, -1)))
out("golden_pool", last(roi_pool(feature, each, 2, 0.25)))

# three maps of a picture of 256 x 256, a region for each of them and one beyond
maps = [torch.randint(-20, 20, (1, 2, n, n)) / 8 for n in (16, 8, 4)]
levels = torch.tensor([[10., 20., 90., 70.], [0., 0., 230., 220.], [5., 9., 14., 12.],
                       [3., 3., 250., 250.], [1., 2., 113., 114.]])
pool = MultiScaleRoIAlign(["0", "1", "2"], 2, 2)
for i, m in enumerate(maps):
    out(f"golden_map{i}", last(m))
out("golden_levels", levels)
out("golden_by_level", last(pool({str(i): m for i, m in enumerate(maps)}, [levels], [(256, 256)])))

# two levels of anchors in a picture of 40 x 48
anchors = torch.cat([torch.randint(0, 30, (14, 2)).double(), torch.zeros(14, 2)], 1)
anchors[:, 2:] = anchors[:, :2] + torch.randint(6, 18, (14, 2))
deltas = torch.randint(-8, 8, (14, 4)) / 16
score = torch.randperm(14) / 4 - 1.5
deltas[3] = torch.tensor([-3., 0., 0., 0.])  # leaves the picture
rpn = RegionProposalNetwork(None, None, 0.7, 0.3, 1, 0.5, {"training": 6, "testing": 6},
                            {"training": 12, "testing": 12}, 0.2)
rpn.eval()
moved = rpn.box_coder.decode(deltas, [anchors]).reshape(1, -1, 4)
kept, _ = rpn.filter_proposals(moved, score.reshape(1, -1), [(40, 48)], [10, 4])
out("golden_anchors_of_levels", anchors)
out("golden_moves", deltas)
out("golden_objectness", score)
print(f"enum {{ GOLDEN_KEPT = {len(kept[0])} }};")
out("golden_proposals", kept[0])

# masks: 3 regions, of 2 boxes with masks in a picture of 10 x 12
masks = (torch.rand(2, 10, 12) > 0.4).double()
found = torch.tensor([[1., 1., 9., 8.], [2.5, 0., 11., 9.5], [0., 3., 6., 9.]])
logits = torch.randint(-16, 16, (3, 2, 4, 4)) / 8
labels, matched = torch.tensor([1, 0, 1]), torch.tensor([1, 0, 1])
out("golden_masks", masks)
out("golden_mask_regions", found)
out("golden_mask_logits", last(logits))
# torchvision's labels count the background; here 2 channels are classes
out("golden_mask_loss", roi_heads.maskrcnn_loss(logits, [found], [masks],
                                                [torch.tensor([0, 1])], [matched]))
probabilities = roi_heads.maskrcnn_inference(logits, [labels])[0]
pasted = roi_heads.paste_masks_in_image(probabilities, found, (10, 12))
out("golden_pasted", pasted)
