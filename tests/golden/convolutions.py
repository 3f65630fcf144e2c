"""Prints the numbers in tests/core/ops/test_conv.c, test_conv_transpose.c, test_linear.c and of
the pooling operators, from PyTorch. Channels last, as dltrain has them; inputs are counted, not
drawn: counted(len, step)[i] = ((i * step) % 17 - 8) / 4, so that the tests can make them too.

    /usr/bin/python3 tests/golden/convolutions.py
"""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def counted(shape, step):
    n = 1
    for d in shape:
        n *= d
    return torch.tensor([((i * step) % 17 - 8) / 4 for i in range(n)]).reshape(shape)


def first(x):
    """[n, ..., c] -> [n, c, ...]"""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def weight(w):
    """Ours [k..., i, o] -> PyTorch's [o, i, k...]"""
    return w.movedim((-1, -2), (0, 1))


def show(name, y):
    print(f"{name}: {'x'.join(str(d) for d in y.shape)}")
    numbers = [f"{float(v) + 0:.12g}" for v in y.reshape(-1)]
    for i in range(0, len(numbers), 12):
        print("    " + ", ".join(numbers[i:i + 12]) + ",")


def conv_transpose(name, x, w, bias, **how):
    x, w = counted(x, 5), counted(w, 7)
    f = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}[x.dim()]
    show(name, last(f(first(x), weight(w), counted([bias], 3), **how)))


conv_transpose("conv_transpose 2d, groups", [2, 2, 3, 4], [3, 2, 1, 4], 2, stride=(2, 3),
               padding=(1, 0), output_padding=(1, 0), groups=2)
conv_transpose("conv_transpose 2d, dilation", [1, 2, 2, 3], [2, 3, 2, 3], 2, stride=(1, 2),
               padding=1, output_padding=(1, 0), dilation=(2, 1))
conv_transpose("conv_transpose 1d", [2, 4, 2], [4, 3, 2], 3, stride=2, padding=1)
conv_transpose("conv_transpose 3d", [1, 2, 2, 1, 2], [3, 2, 2, 2, 2], 2, stride=(2, 1, 2),
               padding=(1, 0, 0), output_padding=(1, 0, 1))


def conv(name, x, w, bias, **how):
    x, w = counted(x, 5), counted(w, 7)
    f = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}[x.dim()]
    show(name, last(f(first(x), weight(w), counted([bias], 3), **how)))


conv("conv 1d", [2, 7, 2], [3, 2, 3], 3, stride=2, padding=2, dilation=2)
conv("conv 2d", [2, 4, 3, 4], [3, 2, 2, 4], 4, stride=(1, 2), padding=(1, 2), dilation=(2, 1),
     groups=2)
conv("conv 3d", [2, 3, 3, 2, 2], [2, 3, 1, 2, 2], 2, stride=(1, 2, 1), padding=(1, 1, 0))
conv("conv 3d, stride", [1, 5, 2, 2, 2], [3, 2, 2, 1, 2], 2, stride=(2, 1, 1), padding=(2, 0, 0),
     dilation=(2, 1, 1), groups=2)
