#!/usr/bin/python3
"""The networks of configs/ against those of torchvision with the same weights.

  /usr/bin/python3 tests/golden/parity.py DLTRAIN CONFIGS [NET]...

DLTRAIN is the program, CONFIGS the folder of that name; without NET all that NETS below lists are
compared. For each one torchvision makes a network with random weights, affine parameters and
running statistics that fit its activations, which dltrain reads from a safetensors file under
torchvision's names ([weights NET], nothing renamed). Then

  logits  of 8 images in evaluation agree: |ours - theirs| <= 1e-4 |theirs| (norms over all of them)
  losses  of 5 steps of SGD with momentum agree to 1e-3 of themselves; the batch is the whole set, so
          that its order does not matter; no dropout. Gradients of deep random networks are large
          (norms to 900) and chaotic: after one step with lr=0.001 PyTorch's own losses in float
          and in double differ by 2 % (resnet50, inception_v3). So the rate is such that the first
          step lowers the loss by about 0.02; then those two agree to 5e-5.

U-Net, which torchvision does not have, is written out below. Ends with 77, which ctest takes for "skipped", where a package is missing.
"""
import json
import math
import os
import struct
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    import torch
    import torchvision
    from torch import nn
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(77)

N_IMAGES, N_CLASSES, STEPS = 8, 10, 5
MOMENTUM, FIRST_DROP = 0.9, 0.02


class UNet(nn.Module):
    """Ronneberger et al. 2015, padded, with batch norm; names as in milesial/Pytorch-UNet."""

    class Double(nn.Module):
        def __init__(self, c_in, c_out):
            super().__init__()
            layers = []
            for c in (c_in, c_out):
                layers += [nn.Conv2d(c, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out),
                           nn.ReLU()]
            self.double_conv = nn.Sequential(*layers)

        def forward(self, x):
            return self.double_conv(x)

    class Down(nn.Module):
        def __init__(self, c_in, c_out):
            super().__init__()
            self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), UNet.Double(c_in, c_out))

        def forward(self, x):
            return self.maxpool_conv(x)

    class Up(nn.Module):
        def __init__(self, c_in, c_out):
            super().__init__()
            self.up = nn.ConvTranspose2d(c_in, c_in // 2, 2, stride=2)
            self.conv = UNet.Double(c_in, c_out)

        def forward(self, x, skip):
            return self.conv(torch.cat([skip, self.up(x)], 1))

    def __init__(self, classes, width):
        super().__init__()
        self.inc = UNet.Double(3, width)
        for i in range(4):
            setattr(self, "down%d" % (i + 1), UNet.Down(width << i, width << (i + 1)))
            setattr(self, "up%d" % (i + 1), UNet.Up(width << (4 - i), width << (3 - i)))
        self.outc = nn.Sequential()
        self.outc.add_module("conv", nn.Conv2d(width, classes, 1))

    def forward(self, x):
        levels = [self.inc(x)]
        for i in range(1, 5):
            levels.append(getattr(self, "down%d" % i)(levels[-1]))
        x = levels.pop()
        for i in range(1, 5):
            x = getattr(self, "up%d" % i)(x, levels.pop())
        return self.outc(x)


def of_torchvision(name, **args):
    return lambda: getattr(torchvision.models, name)(num_classes=N_CLASSES, **args)


# name: how to make it, size of the images, arguments of the net in the job, auxiliary outputs
NETS = {
    "resnet18": (of_torchvision("resnet18"), 64, "", {}),
    "resnet50": (of_torchvision("resnet50"), 64, "", {}),
    "vgg11": (of_torchvision("vgg11"), 64, "dropout=0", {}),
    "googlenet": (of_torchvision("googlenet", init_weights=False), 96,
                  "dropout=0, aux_dropout=0", {"aux2": 0.3, "aux1": 0.3}),
    "inception_v3": (of_torchvision("inception_v3", init_weights=False, aux_logits=False), 128,
                     "dropout=0, aux=false", {}),
    "densenet121": (of_torchvision("densenet121"), 64, "", {}),
    "mobilenet_v2": (of_torchvision("mobilenet_v2"), 96, "dropout=0", {}),
    "shufflenet_v2_x1_0": (of_torchvision("shufflenet_v2_x1_0"), 96, "", {}),
    "squeezenet1_1": (of_torchvision("squeezenet1_1"), 96, "dropout=0", {}),
    "unet": (lambda: UNet(N_CLASSES, 16), 64, "width=16", {}),
}


def write_safetensors(path, tensors):
    """Length of the header, the header in JSON, the numbers: little-endian, in its order."""
    header, offset = {}, 0
    for name, t in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(t.shape),
                        "data_offsets": [offset, offset + 4 * t.numel()]}
        offset += 4 * t.numel()
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.detach().contiguous().numpy().astype("<f4").tobytes())


def randomise(net, images):
    """Affine parameters and running statistics that are not those of a fresh network."""
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
        if isinstance(m, nn.BatchNorm2d):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.normal_(m.bias, 0, 0.2)
            m.momentum = 1.0  # what the first pass sees
    net.train()
    with torch.no_grad():
        net(images)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.momentum = 0.1
            m.running_mean += 0.2 * m.running_var.sqrt() * torch.randn_like(m.running_mean)
            m.running_var *= 0.5 + torch.rand_like(m.running_var)


def loss_of(net, images, labels, aux):
    out = net(images)
    if not aux:
        return nn.functional.cross_entropy(out, labels)
    logits = [out.logits, out.aux_logits2, out.aux_logits1]
    weights = [1.0, *aux.values()]
    return sum(w * nn.functional.cross_entropy(x, labels) for w, x in zip(weights, logits))


def train(net, images, labels, aux):
    """The losses of so many steps, each before its update, and the learning rate."""
    losses = []
    net.train()
    for step in range(STEPS):
        loss = loss_of(net, images, labels, aux)
        net.zero_grad()
        loss.backward()
        if step == 0:
            lr = FIRST_DROP / sum((p.grad.double() ** 2).sum().item() for p in net.parameters())
            optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=MOMENTUM)
        optimizer.step()
        losses.append(loss.item())
    return losses, lr


JOB = """[job]
include = {configs}/{name}.ini
model   = {name}({args}classes={classes})
steps   = {steps}
[data]
train    = data.h5:all
validate = data.h5:all
batch    = {n}
[weights model]
file = {name}.safetensors
[step]
logits    = model(image)
loss      = {loss}
train     = model
optimizer = sgd(lr={lr:.17g}, momentum={momentum})
[validate]
error = 1e12 * mse(model(image), expected) / mse(expected, 0)
[checkpoint]
best = false
[log]
every = 1
"""


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stdout))
    return done.stdout


def compare(program, configs, name):
    """How far the logits are off, and the losses: relative to PyTorch's."""
    make, size, args, aux = NETS[name]
    torch.manual_seed(sum(map(ord, name)))
    torch.use_deterministic_algorithms(True)
    net = make()
    images = torch.randn(N_IMAGES, 3, size, size)
    pixels = (size, size) if name == "unet" else ()
    labels = torch.randint(N_CLASSES, (N_IMAGES, *pixels))
    randomise(net, images)
    write_safetensors(name + ".safetensors", {k: v for k, v in net.state_dict().items()
                                              if not k.endswith("num_batches_tracked")})
    net.eval()
    with torch.no_grad():
        expected = net(images)
    theirs, lr = train(net, images, labels, aux)

    with h5py.File("data.h5", "w") as f:
        f["all/images"] = images.numpy().transpose(0, 2, 3, 1)
        f["all/mask" if pixels else "all/labels"] = labels.numpy().astype(np.uint8)
        f["all/expected"] = expected.numpy().transpose((0, 2, 3, 1) if pixels else (0, 1))
    target = "mask" if pixels else "label"
    loss = "cross_entropy(logits, %s)" % target
    for output, weight in aux.items():
        loss += " + %g * cross_entropy(logits.%s, %s)" % (weight, output, target)
    with open(name + ".ini", "w") as f:
        f.write(JOB.format(configs=configs, name=name, args=args + ", " if args else "", n=N_IMAGES,
                           classes=N_CLASSES, steps=STEPS, loss=loss, lr=lr, momentum=MOMENTUM))
    result = run(program, "eval", name + ".ini")
    logits_off = math.sqrt(float(result.split("error=")[1].split()[0])) * 1e-6
    run(program, name + ".ini")
    with open("runs/%s/metrics.jsonl" % name) as f:
        ours = [m["loss"] for m in map(json.loads, f) if "loss" in m]
    if len(ours) != STEPS:
        raise RuntimeError("%s: %d losses, expected %d" % (name, len(ours), STEPS))
    losses_off = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs))
    return logits_off, losses_off, theirs


def main():
    program, configs = (os.path.abspath(arg) for arg in sys.argv[1:3])
    n_wrong = 0
    with tempfile.TemporaryDirectory(prefix="dltrain_") as folder:
        os.chdir(folder)
        for name in sys.argv[3:] or NETS:
            logits_off, losses_off, losses = compare(program, configs, name)
            wrong = not (logits_off <= 1e-4 and losses_off <= 1e-3)
            n_wrong += wrong
            print("%-20s logits %.1e  losses %.1e  (%.4f to %.4f)%s" %
                  (name, logits_off, losses_off, losses[0], losses[-1],
                   "  WRONG" if wrong else ""), flush=True)
        os.chdir("/")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
