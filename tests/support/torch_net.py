#!/usr/bin/env python3
"""A network in PyTorch, for tests of the exchange of weights: its loss on shapes.h5:test.

  torch_net.py make FILE [NORM]    with random weights, which are written to FILE (safetensors)
  torch_net.py load FILE [NORM]    with those of FILE
                                   NORM: spectral_norm of nn.utils (hooks) or of
                                   nn.utils.parametrizations (parametrizations) on all that have weights
  torch_net.py vision FILE NAME    of torchvision's network NAME: logits are brought to an rms of 3
                                   for the loss; their own is printed first
The format is read and written here by its specification, without its package."""
import json
import struct
import sys

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

if sys.argv[1] == "vision":
    import torchvision

net = nn.Sequential()
net.add_module("conv1", nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False))
net.add_module("bn1", nn.BatchNorm2d(8))
net.add_module("relu1", nn.ReLU())
net.add_module("conv2", nn.Conv2d(8, 8, 3, padding=1, groups=4))
net.add_module("relu2", nn.ReLU())
net.add_module("up", nn.ConvTranspose2d(8, 6, 2, stride=2))
net.add_module("relu3", nn.ReLU())
net.add_module("pool", nn.MaxPool2d(4))
net.add_module("flatten", nn.Flatten())
net.add_module("fc", nn.Linear(6 * 8 * 8, 10))


norms = {"hooks": nn.utils.spectral_norm,
         "parametrizations": nn.utils.parametrizations.spectral_norm}
if len(sys.argv) > 3 and sys.argv[3] in norms:
    for name in "conv1", "conv2", "up", "fc":
        norms[sys.argv[3]](net.get_submodule(name))


def randomise():
    torch.manual_seed(1)
    for name, value in net.state_dict().items():
        if name.endswith(("_u", "_v")):
            continue  # unit vectors, which are moved by training alone
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)
        elif value.is_floating_point():
            value.normal_(0, 0.5)


def torchvision_net(name):
    """Weights as they are initialised; statistics that batch norm could have seen."""
    torch.manual_seed(1)
    args = {"init_weights": False} if name == "googlenet" else {}
    result = getattr(torchvision.models, name)(**args)
    for key, value in result.state_dict().items():
        if key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif key.endswith("running_mean") or key.endswith("bias"):
            value.normal_(0, 0.1)
    return result


def write(path, state):
    header, data = {}, b""
    for name, value in state.items():
        raw = value.contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[value.dtype]
        header[name] = {"dtype": kind, "shape": list(value.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__")
    return {name: torch.from_numpy(np.frombuffer(
        data, "<f4", (info["data_offsets"][1] - info["data_offsets"][0]) // 4,
        info["data_offsets"][0]).reshape(info["shape"]).copy()) for name, info in header.items()}


if sys.argv[1] == "make":
    randomise()
    with torch.no_grad():
        net(torch.randn(2, 3, 32, 32))  # one step of the power iteration
    write(sys.argv[2], net.state_dict())
elif sys.argv[1] == "vision":
    net = torchvision_net(sys.argv[3])
    write(sys.argv[2], net.state_dict())
else:
    net.load_state_dict(read(sys.argv[2]))
with h5py.File("shapes.h5") as file:
    images = torch.from_numpy(file["test/images"][:]).permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(file["test/labels"][:]).long()
net.eval()
with torch.no_grad():
    logits = net((images - 0.5) / 0.25)
    if sys.argv[1] == "vision":
        rms = logits.square().mean().sqrt()
        print("rms=%.9g" % rms)
        logits *= 3 / rms
    print("loss=%.6f" % cross_entropy(logits, labels))
