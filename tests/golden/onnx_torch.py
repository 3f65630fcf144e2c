#!/usr/bin/python3
"""ONNX files that PyTorch writes, as jobs: what dltrain makes of them and writes again computes what PyTorch computes.

  /usr/bin/python3 tests/golden/onnx_torch.py DLTRAIN COMPARE.js

Networks with random weights and running statistics, in the manner of those that people bring along. Each is exported
by torch.onnx, converted to a job and its weights, and back; onnxruntime computes both files by COMPARE.js
(node/onnx_compare.js). Ends with 77, which ctest takes for "skipped", where torch, node or onnxruntime are missing.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(77)


class Residual(nn.Module):
    def __init__(self, c_in, c, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, c, 1, stride, bias=False), nn.BatchNorm2d(c))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """As torchvision's resnet18, narrower."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
                                  nn.MaxPool2d(3, 2, 1))
        self.layers = nn.Sequential(*[Residual(c_in, c, s) for c_in, c, s in
                                      ((8, 8, 1), (8, 16, 2), (16, 16, 1), (16, 24, 2))])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(24, 7)

    def forward(self, x):
        return self.fc(torch.flatten(self.avgpool(self.layers(self.stem(x))), 1))


class MobileNet(nn.Module):
    """Inverted residuals, depthwise convolutions, ReLU6, squeeze and excitation; the head is view(n, -1)."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.block = nn.Sequential(
            nn.Conv2d(8, 32, 1, bias=False), nn.BatchNorm2d(32), nn.Hardswish(),
            nn.Conv2d(32, 32, 3, 1, 1, groups=32, bias=False), nn.BatchNorm2d(32), nn.ReLU6(),
            nn.Conv2d(32, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1),
                                     nn.Hardsigmoid())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(8 * 16 * 16, 5))

    def forward(self, x):
        x = self.features(x)
        x = x + self.block(x)
        x = x * self.squeeze(x)
        return self.classifier(x.view(x.size(0), -1))


class UNet(nn.Module):
    """Down and up again, once by transposed convolution and once by interpolation; classes for each pixel."""

    def __init__(self):
        super().__init__()
        self.inc = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.LeakyReLU(0.1))
        self.down1 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, padding=1), nn.InstanceNorm2d(12, affine=True),
                                   nn.ELU())
        self.down2 = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(12, 16, 3, padding=2, dilation=2), nn.PReLU(16))
        self.up1 = nn.ConvTranspose2d(16, 12, 2, stride=2)
        self.up2 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.out = nn.Conv2d(8 + 24, 4, 1)

    def forward(self, x):
        a = self.inc(x)
        b = self.down1(a)
        c = torch.cat([self.up1(self.down2(b)), b], dim=1)
        return self.out(torch.cat([self.up2(c), a], dim=1)).softmax(1)


class Shuffle(nn.Module):
    """Halves of channels, shuffled; pooling that rounds up; the mean over pixels in the head."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 2, bias=False)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.branch = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.BatchNorm2d(8), nn.Conv2d(8, 8, 1), nn.Tanh())
        self.fc = nn.Linear(16, 6)

    def forward(self, x):
        x = self.pool(self.conv(x))
        a, b = x.chunk(2, dim=1)
        x = torch.cat([a, self.branch(b)], dim=1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        return self.fc(x.mean([2, 3]))


class Super(nn.Module):
    """Pixels out of channels, nearest neighbours, a residual that is scaled."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 12, 5, padding=2), nn.Sigmoid(), nn.Conv2d(12, 12, 3, padding=1))
        self.up = nn.Sequential(nn.PixelShuffle(2), nn.Softplus())

    def forward(self, x):
        return self.up(0.3 * self.body(x)) + F.interpolate(x, scale_factor=2, mode="nearest")


def randomise(net):
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d)):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.normal_(m.bias, 0, 0.2)
        if isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.running_mean, 0, 0.2)
            nn.init.uniform_(m.running_var, 0.5, 1.5)


def write(folder, kind, dynamic):
    """The network's file, its input and output, as node/onnx_compare.js wants them; returns the path."""
    torch.manual_seed(len(kind.__name__))
    net = kind()
    randomise(net)
    net.eval()
    x = torch.randn(2 if dynamic else 1, 3, 32, 32)
    with torch.no_grad():
        y = net(x)
    stem = "%s/torch.%s%s" % (folder, kind.__name__, "" if dynamic else "_1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, x, stem + ".onnx", input_names=["pixels"], output_names=["y"],
                          dynamic_axes={"pixels": {0: "batch"}, "y": {0: "batch"}} if dynamic else None)
    for name, t in (("0", x), ("y", y)):
        with open("%s.%s" % (stem, name), "wb") as f:
            f.write(t.contiguous().numpy().astype("<f4").tobytes())
    about = [{"name": n, "type": "float32", "dims": list(t.shape)} for n, t in (("pixels", x), ("y", y))]
    with open(stem + ".json", "w") as f:
        json.dump({"inputs": about[:1], "output": about[1], "ops": []}, f)
    return stem


def main():
    program, compare = (os.path.abspath(arg) for arg in sys.argv[1:3])
    if not shutil.which("node"):
        print("skipped: there is no node")
        return 77
    n_wrong = 0
    with tempfile.TemporaryDirectory(prefix="dltrain_") as folder:
        for kind in (ResNet, MobileNet, UNet, Shuffle, Super):
            for dynamic in (True, False):
                stem = write(folder, kind, dynamic)
                for command in ((stem + ".onnx", stem + ".ini"), (stem + ".ini", stem + ".back.onnx")):
                    done = subprocess.run([program, "convert", *command], stdout=subprocess.PIPE, cwd=folder,
                                          stderr=subprocess.STDOUT, text=True)
                    if done.returncode:
                        print(done.stdout, end="")
                        n_wrong += 1
                        break
        code = subprocess.run([shutil.which("node"), compare, folder]).returncode
    if code == 77:
        return 77
    print("%d refused" % n_wrong)
    return 1 if n_wrong or code else 0


if __name__ == "__main__":
    sys.exit(main())
