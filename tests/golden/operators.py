"""Prints the numbers of tests/core/ops that come from PyTorch (1.13, in double): each under the
name of its operator, channels last."""

import torch
from torch.nn import functional as f

torch.set_default_dtype(torch.float64)


def show(name, x):
    print(name, list(x.shape), ", ".join("%.12g" % v for v in x.flatten().tolist()))


def last(x):  # channels from place 1 to the end
    return x.movedim(1, -1)


def ramp(*shape):
    """0.1, -0.2, 0.3, ...: no two alike."""
    n = torch.Size(shape).numel()
    i = torch.arange(1, n + 1)
    return (0.1 * i * (1 - 2 * ((i + 1) % 2))).reshape(shape)


x = torch.tensor([-20.0, -4.0, -3.0, -1.0, -0.25, 0.0, 0.5, 2.0, 3.0, 10.0])
show("activations of", x)
show("swish", f.silu(x))
show("hard_swish", f.hardswish(x))
show("hard_sigmoid", f.hardsigmoid(x))
show("gelu", f.gelu(x))
show("softplus", f.softplus(x))
show("softplus beta=2", f.softplus(x, beta=2))

# Images [n, h, w, c] with the numbers 0, 1, 4, 9, ...
squares = (torch.arange(2 * 3 * 2.0) ** 2).reshape(1, 2, 3, 2).movedim(-1, 1)
show("upsample squares", last(squares))
show("bilinear scale=2", last(f.interpolate(squares, scale_factor=2, mode="bilinear")))
show("bilinear size=[3,2]", last(f.interpolate(squares, size=(3, 2), mode="bilinear")))
show("nearest size=[3,5]", last(f.interpolate(squares, size=(3, 5), mode="nearest")))
series = (torch.arange(3 * 2.0) ** 2).reshape(1, 3, 2).movedim(-1, 1)
show("linear size=5", last(f.interpolate(series, size=5, mode="linear")))
volume = (torch.arange(8.0) ** 2).reshape(1, 1, 2, 2, 2)
show("trilinear size=3", last(f.interpolate(volume, size=3, mode="trilinear")))

x = ramp(2, 7)
show("local_response_norm of", x)
for size in (5, 4):
    y = f.local_response_norm(x[:, :, None], size, alpha=2.0, beta=0.75, k=0.5)
    show("local_response_norm size=%d" % size, y)

x = torch.arange(1 * 2 * 1 * 8.0).reshape(1, 2, 1, 8)
show("pixel_shuffle", last(f.pixel_shuffle(x.movedim(-1, 1), 2)))

x = (torch.arange(2 * 3 * 4.0) ** 2 % 23 / 4).reshape(2, 3, 4)  # [n, w, c]
weight, bias = torch.tensor([1.0, 2.0, -1.0, 0.5]), torch.tensor([0.0, 1.0, 2.0, 3.0])
show("normalised", x)
show("layer_norm", f.layer_norm(x, (4,), weight, bias))
show("group_norm", last(f.group_norm(x.movedim(-1, 1), 2, weight, bias)))
show("instance_norm", last(f.instance_norm(x.movedim(-1, 1))))
show("instance_norm affine", last(f.instance_norm(x.movedim(-1, 1), None, None, weight, bias)))
