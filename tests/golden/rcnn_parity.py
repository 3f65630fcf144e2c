#!/usr/bin/python3
"""Faster and Mask R-CNN of configs/ against those of torchvision with the same weights.

  /usr/bin/python3 tests/golden/rcnn_parity.py DLTRAIN CONFIGS

DLTRAIN is the program, CONFIGS the folder of that name. torchvision makes a network with random weights and running
statistics that fit its activations, which dltrain reads from a safetensors file under torchvision's names. Then
agree, for 3 pictures of 96 x 128,

  found   boxes, classes and scores, best first: their mean difference is below 1e-3 (of pixels, and of 1)
  masks   of what was found, in the picture: mean difference below 1e-4
  losses  all five of training, where sampling takes all there is: to 1e-3 of themselves

Ends with 77, which ctest takes for "skipped", where a package is missing.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    import torch
    import torchvision
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(77)

N, HEIGHT, WIDTH, CLASSES, FOUND, BOXES = 3, 96, 128, 5, 12, 4
BEFORE, REGIONS = 60, 40

JOB = """[job]
include = {configs}/mask_rcnn_resnet50_fpn.ini {configs}/detect_mask_rcnn.ini
name    = parity
model   = mask_rcnn_resnet50_fpn(classes=classes, before=before, regions=regions, top={found})
steps   = 1
[let]
classes   = {classes}
before    = {before}
regions   = {regions}
anchors_n = 1000000
regions_n = {all_regions}
masks_n   = {all_regions}
lr        = 0.001
[data]
train    = data.h5:all
validate = data.h5:all
augment  = image | normalize(mean=0, std=1)
batch    = {n}
[weights resnet50_fpn]
file = net.safetensors
[weights rpn]
file = net.safetensors
[weights box_head]
file = net.safetensors
[weights mask_head]
file = net.safetensors
[validate]
{validate}
found_error = l1(m.found, found_there)
masks_error = l1(m.masks, masks_there)
best        = mask
"""


def write_safetensors(path, tensors):
    """Length of the header, the header in JSON, the numbers: little-endian, in its order."""
    header, offset = {}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [offset, offset + 4 * t.numel()]}
        offset += 4 * t.numel()
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.detach().contiguous().numpy().astype("<f4").tobytes())


def network():
    net = torchvision.models.detection.maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=CLASSES, min_size=HEIGHT, max_size=WIDTH, image_mean=[0] * 3,
        image_std=[1] * 3, rpn_pre_nms_top_n_train=BEFORE, rpn_pre_nms_top_n_test=BEFORE,
        rpn_post_nms_top_n_train=REGIONS, rpn_post_nms_top_n_test=REGIONS, rpn_batch_size_per_image=1000000,
        box_batch_size_per_image=1000000, box_detections_per_img=FOUND)
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.momentum = 1.0
    with torch.no_grad():  # as if something had been learned: scores, classes and boxes that differ
        for part in (net.rpn.head.cls_logits, net.rpn.head.bbox_pred):
            part.weight.mul_(20)
        net.roi_heads.box_predictor.cls_score.weight.mul_(2)
        net.roi_heads.mask_predictor.mask_fcn_logits.weight.mul_(0.5)
    return net


def targets(rng):
    out = []
    for _ in range(N):
        masks = torch.zeros(BOXES, HEIGHT, WIDTH)
        boxes = torch.zeros(BOXES, 4)
        for i in range(BOXES):
            w, h = rng.integers(20, 60, 2)
            x, y = rng.integers(0, WIDTH - w), rng.integers(0, HEIGHT - h)
            boxes[i] = torch.tensor([x, y, x + w, y + h])
            yy, xx = np.mgrid[:HEIGHT, :WIDTH]
            round_ = ((xx - x - w / 2) / (w / 2)) ** 2 + ((yy - y - h / 2) / (h / 2)) ** 2 <= 1
            masks[i] = torch.from_numpy(round_.astype(np.float32))
        out.append({"boxes": boxes, "labels": torch.from_numpy(rng.integers(1, CLASSES, BOXES)),
                    "masks": masks.to(torch.uint8)})
    return out


def write_data(images, truth, found):
    boxes, masks = np.zeros((N, BOXES, 5), np.float32), np.zeros((N, BOXES, HEIGHT, WIDTH), np.float32)
    rows, pasted = np.zeros((N, FOUND, 6), np.float32), np.zeros((N, FOUND, HEIGHT, WIDTH), np.float32)
    rows[:, :, 4] = -1
    for i, (t, f) in enumerate(zip(truth, found)):
        boxes[i, :, :4], boxes[i, :, 4], masks[i] = t["boxes"], t["labels"] - 1, t["masks"]
        k = len(f["scores"])
        rows[i, :k, :4], rows[i, :k, 4], rows[i, :k, 5] = f["boxes"], f["labels"] - 1, f["scores"]
        pasted[i, :k] = f["masks"][:, 0]
    with h5py.File("data.h5", "w") as f:
        f["all/image"] = images.numpy().transpose(0, 2, 3, 1)
        f["all/boxes"] = boxes
        f["all/boxes"].attrs["kind"] = "boxes"
        for name, value in (("boxes_masks", masks), ("found_there", rows), ("masks_there", pasted)):
            f["all/" + name] = value
            f["all/" + name].attrs["kind"] = "real"
    return sum(len(f["scores"]) for f in found)


def main(program, configs):
    torch.manual_seed(3)
    torch.set_num_threads(2)
    rng = np.random.default_rng(5)
    net, truth = network(), targets(rng)
    images = torch.from_numpy(rng.random((N, 3, HEIGHT // 8, WIDTH // 8), dtype=np.float32))
    images = torch.nn.functional.interpolate(images, scale_factor=8, mode="bilinear")
    with torch.no_grad():
        net.backbone(images)  # running statistics become those of these pictures
        net.eval()
        found = net(list(images))
        net.rpn.train(), net.roi_heads.train(), net.transform.train()
        net.training = True
        losses = net(list(images), truth)
    n_found = write_data(images, truth, found)
    write_safetensors("net.safetensors", {k: v for k, v in net.state_dict().items()
                                          if not k.endswith("num_batches_tracked")})
    step = open(os.path.join(configs, "detect_mask_rcnn.ini")).read().split("[step]\n")[1].split("loss       =")[0]
    with open("job.ini", "w") as f:
        f.write(JOB.format(configs=configs, found=FOUND, classes=CLASSES, before=BEFORE, regions=REGIONS, n=N,
                           all_regions=REGIONS + BOXES, validate=step))
    run = subprocess.run([program, "eval", "job.ini"], capture_output=True, text=True)
    if run.returncode:
        sys.exit("dltrain ended with %d\n%s%s" % (run.returncode, run.stdout, run.stderr))
    ours = dict(re.findall(r"(\w+)=(\S+)", run.stdout))
    value = lambda name: float(ours[name])
    pairs = {"objectness": "loss_objectness", "rpn_boxes": "loss_rpn_box_reg", "class": "loss_classifier",
             "box": "loss_box_reg", "mask": "loss_mask"}
    bad = 0
    for name, theirs in pairs.items():
        a, b = value(name), float(losses[theirs])
        print("%-12s %.6g here, %.6g in torchvision" % (name, a, b))
        bad += not abs(a - b) <= 1e-3 * abs(b)
    print("%d found: they differ by %.3g, their masks by %.3g" % (n_found, value("found_error"), value("masks_error")))
    bad += not value("found_error") <= 1e-3
    bad += not value("masks_error") <= 1e-4
    bad += not n_found >= N * FOUND // 2
    sys.exit("%d differ" % bad if bad else 0)


if __name__ == "__main__":
    program, configs = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main(program, configs)
