#!/usr/bin/python3
"""The numbers of tests/core/graph/test_nets.c: networks of torchvision, in double, whose weights are
a formula of their names, so that no file is needed to make the same ones there.

  /usr/bin/python3 tests/golden/nets.py

For each one: the logits of two images in evaluation; the loss in training; and the scalar product
of its gradient with numbers of the same formula, which every gradient must be right for; the same
for the running statistics after that step.
"""
import numpy as np
import torch
import torchvision
from torch import nn

N, CLASSES = 2, 3
NETS = {  # arguments, size of the images
    "densenet121": ({}, 64),
    "googlenet": ({"init_weights": False}, 64),
    "inception_v3": ({"init_weights": False, "aux_logits": False}, 107),
    "mobilenet_v2": ({}, 64),
    "resnet18": ({}, 64),
    "resnext50_32x4d": ({}, 64),
    "shufflenet_v2_x1_0": ({}, 64),
    "squeezenet1_1": ({}, 64),
}


def uniform(name, n):
    """[n] numbers in [0, 1): FNV-1a of the name, then for each element murmur's last mixing."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    x = np.uint64(h) + np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(33)
    x *= np.uint64(0xFF51AFD7ED558CCD)
    x ^= x >> np.uint64(33)
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def ours(shape):
    """PyTorch's [out, in, h, w] here: [h, w, in, out]; and how to turn it back."""
    order = [*range(2, len(shape)), 1, 0] if len(shape) > 1 else [0]
    return [shape[i] for i in order], np.argsort(order)


def signed(name, shape):
    here, back = ours(shape)
    return (2 * uniform(name, int(np.prod(here))) - 1).reshape(here).transpose(back)


def value(name, shape):
    v = signed(name, shape)
    if len(shape) > 1:
        return v * np.sqrt(6.0 / np.prod(shape[1:]))
    last = name.rsplit(".", 1)[1]
    return {"weight": 1 + v / 4, "running_var": 1 + v / 2}.get(last, v / 5)


def product(tensors):
    return sum(float((t.numpy() * signed("along " + k, t.shape)).sum()) for k, t in tensors)


def main():
    torch.set_default_dtype(torch.float64)
    for name, (args, size) in NETS.items():
        net = getattr(torchvision.models, name)(num_classes=CLASSES, **args)
        for m in net.modules():
            if isinstance(m, nn.Dropout):
                m.p = 0.0
        state = {k: v for k, v in net.state_dict().items() if not k.endswith("tracked")}
        for k, v in state.items():
            v.copy_(torch.from_numpy(value(k, v.shape).copy()))
        images = torch.from_numpy((2 * uniform("image", N * size * size * 3) - 1)
                                  .reshape(N, size, size, 3).transpose(0, 3, 1, 2).copy())
        net.eval()
        with torch.no_grad():
            logits = net(images)
        net.train()
        out = net(images)
        labels = torch.arange(N)
        loss = nn.functional.cross_entropy
        if name == "googlenet":
            # torchvision 0.14 exchanges the names: aux_logits2 is what net.aux1 gives.
            total = (loss(out.logits, labels) + 0.3 * loss(out.aux_logits2, labels) +
                     0.2 * loss(out.aux_logits1, labels))
        else:
            total = loss(out, labels)
        total.backward()
        gradient = product([(k, p.grad) for k, p in net.named_parameters()])
        moved = product([(k, v) for k, v in state.items() if "running" in k])
        print('    {"%s", %d,\n     {%s},\n     %.12g, %.12g, %.12g},' %
              (name, size, ", ".join("%.12g" % x for x in logits.flatten()), total.item(), gradient,
               moved))


main()
