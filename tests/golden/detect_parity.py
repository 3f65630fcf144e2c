#!/usr/bin/env python3
"""The detectors of torchvision 0.14 and of configs/, with the same random weights: what they find
(boxes, classes, scores), and the losses of three steps of SGD.

  detect_parity.py DLTRAIN CONFIGS [NET...]

Ends with 77 where Python lacks torch, torchvision or h5py."""
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    import torch
    from torchvision.models import detection
    from torchvision.models.detection import anchor_utils
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(77)

TOP, CLASSES = 20, 4  # boxes found; classes of the data
STEPS = 3


def retinanet():
    sizes = tuple((int(x * 0.5), int(x * 2 ** (1 / 3)) * 0.5, int(x * 2 ** (2 / 3)) * 0.5)
                  for x in (32, 64, 128, 256, 512))
    return detection.retinanet_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=CLASSES, min_size=96, max_size=96,
        anchor_generator=anchor_utils.AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5),
        score_thresh=0.02, detections_per_img=TOP, topk_candidates=50)


def ssd300():
    return detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=CLASSES + 1,
                                  score_thresh=0.05, detections_per_img=TOP, topk_candidates=30)


def ssdlite():
    return detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=CLASSES + 1, score_thresh=0.05,
        detections_per_img=TOP, topk_candidates=30)


IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
NETS = {  # maker, size, mean and std, arguments here, task, rate, nets, rename
    "retinanet_resnet50_fpn": (retinanet, 96, IMAGENET,
                               "classes=4, scale=0.5, score=0.02, top=20, before=50",
                               "detect_retinanet", 2e-6, ["resnet50_fpn_p7"], ""),
    "ssd300_vgg16": (ssd300, 300, ([0.48235, 0.45882, 0.40784], [1 / 255] * 3),
                     "classes=5, score=0.05, top=20, before=30", "detect_ssd", 2e-6, [],
                     "rename = backbone.scale_weight -> backbone.scale.weight\n"),
    "ssdlite320_mobilenet_v3_large": (ssdlite, 320, ([0.5] * 3, [0.5] * 3),
                                      "classes=5, score=0.05, top=20, before=30", "detect_ssd", 1e-5,
                                      [], ""),
}


def write(path, state):
    header, data = {}, b""
    for name, value in state.items():
        if value.dtype != torch.float32:
            continue
        raw = value.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def samples(size):
    """Two pictures, of three boxes and of one."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    boxes = np.zeros((2, 4, 5), np.float32)
    boxes[..., 4] = -1
    for n, m in enumerate((3, 1)):
        for k in range(m):
            w, h = rng.integers(size // 5, size // 2, 2)
            x, y = rng.integers(0, size - w), rng.integers(0, size - h)
            boxes[n, k] = x, y, x + w, y + h, rng.integers(0, CLASSES)
    return images, boxes


def spread(net, ssd, pictures, targets):
    """Statistics that batch norm has seen, and heads that are sure of something."""
    norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    usual = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1
    net.train()
    with torch.no_grad():
        net(pictures, targets)
        for m, momentum in zip(norms, usual):
            m.momentum = momentum
            m.running_var.clamp_(min=1e-3)
        for key, value in net.state_dict().items():
            if "cls_logits.weight" in key:
                value.mul_(20)
            elif "bbox_reg.weight" in key:
                value.mul_(3)
            elif ssd and "module_list" in key and value.dim() == 4:
                value.mul_(0.25 if ssd == "ssd300_vgg16" else 2)


def ours(job, dltrain, *more):
    run = subprocess.run([dltrain, *more, job], capture_output=True, text=True)
    if run.returncode:
        sys.exit("%s: %d\n%s%s" % (job, run.returncode, run.stdout, run.stderr))
    return run.stdout


def compare(name, dltrain, configs):
    maker, size, (mean, std), args, task, rate, nets, rename = NETS[name]
    ssd = name if task == "detect_ssd" else ""
    torch.manual_seed(2)
    net = maker()
    images, boxes = samples(size)
    pictures = list(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
    targets = [{"boxes": torch.from_numpy(b[b[:, 4] >= 0, :4]),
                "labels": torch.from_numpy(b[b[:, 4] >= 0, 4]).long() + (1 if ssd else 0)}
               for b in boxes]
    spread(net, ssd, pictures, targets)
    write("w.safetensors", net.state_dict())
    net.eval()
    with torch.no_grad():
        found = net(pictures)
    rows = np.zeros((2, TOP, 6), np.float32)
    rows[..., 4] = -1
    for n, one in enumerate(found):
        k = len(one["labels"])
        rows[n, :k] = np.concatenate([one["boxes"], (one["labels"] - (1 if ssd else 0))[:, None],
                                      one["scores"][:, None]], 1)
        print("%s: %d found in picture %d, scores %.4f .. %.4f" %
              (name, k, n, rows[n, 0, 5], rows[n, k - 1, 5]))
        assert k > 5
    losses = []
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), rate)
    for p in net.parameters():  # whatever the maker has frozen
        p.requires_grad_(True)
    for _ in range(STEPS):
        loss = sum(net(pictures, targets).values())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with h5py.File("d.h5", "w") as file:
        file["train/images"] = images
        for key, value in (("boxes", boxes), ("expected", rows)):
            file["train/" + key] = value
            file["train/" + key].attrs["kind"] = "real"
    loads = "".join("[weights %s]\nfile = w.safetensors\n%s" % (one, rename)
                    for one in [name] + nets)
    with open("job.ini", "w") as file:
        file.write("[job]\ninclude = %s/%s.ini %s/%s.ini\nmodel = %s(%s)\nsteps = %d\n" %
                   (configs, name, configs, task, name, args, STEPS))
        file.write("[data]\ntrain = d.h5:train\nvalidate = d.h5:train\nbatch = 2\nshuffle = none\n"
                   "augment = image | normalize(mean=%s, std=%s)\n" % (mean, std))
        file.write("[step]\noptimizer = sgd(lr=%g)\n" % rate)
        file.write("[validate]\nevery = never\nm = model(image)\nf = m.found\n"
                   "far = l1(f, expected)\n")
        file.write("far_score = l1(f | slice(5, 6), expected | slice(5, 6))\n")
        file.write("[log]\nevery = 1\n[checkpoint]\nlast = never\n" + loads)
    text = ours("job.ini", dltrain, "eval")
    far = float(text.split("far=")[1].split()[0].rstrip(","))
    far_score = float(text.split("far_score=")[1].split()[0].rstrip(","))
    print("%s: found differs by %.2g on average, scores by %.2g" % (name, far, far_score))
    ours("job.ini", dltrain)
    with open("runs/job/metrics.jsonl") as file:
        mine = [json.loads(line)["loss"] for line in file if '"loss"' in line][:STEPS]
    print("%s: losses %s here, %s in torchvision" % (name, mine, losses))
    subprocess.run(["rm", "-r", "runs"], check=True)
    moved = abs(losses[-1] - losses[0])
    bad = far > 2e-3 or far_score > 1e-5 or len(mine) < STEPS or moved < 1e-4 * losses[0]
    return bad or any(abs(a - b) > 0.02 * moved + 2e-6 * b for a, b in zip(mine, losses))


def main():
    dltrain, configs = map(os.path.abspath, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        wrong = [name for name in sys.argv[3:] or NETS if compare(name, dltrain, configs)]
        os.chdir("/")
    if wrong:
        sys.exit("they differ: " + " ".join(wrong))


main()
