"""Prints the numbers in tests/core/ops/test_conv.c, test_conv_transpose.c, test_spectral.c and
of the pooling operators, from PyTorch. Channels last, as dltrain has them; inputs are counted, not
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


def pool(name, x, kind, *how, **more):
    """kind: "max" or "avg"."""
    x = counted(x, 5)
    f = getattr(F, f"{kind}_pool{x.dim() - 2}d")
    show(name, last(f(first(x), *how, **more)))


pool("maxpool 1d", [2, 5, 2], "max", 3, 2, 1)
pool("maxpool 2d, ceil", [1, 5, 5, 2], "max", (2, 3), (3, 3), (1, 0), ceil_mode=True)
pool("maxpool 3d", [1, 4, 3, 4, 2], "max", (2, 3, 2), (2, 1, 2), (1, 1, 0), ceil_mode=True)
pool("avgpool 1d", [2, 5, 2], "avg", 3, 2, 1)
pool("avgpool 2d, ceil", [1, 5, 5, 2], "avg", (2, 3), (3, 3), (1, 0), ceil_mode=True)
pool("avgpool 2d, ceil, no pad", [1, 6, 4, 2], "avg", 3, 2, 1, ceil_mode=True,
     count_include_pad=False)
pool("avgpool 2d, ceil, pad", [1, 6, 4, 2], "avg", 3, 2, 1, ceil_mode=True)
pool("avgpool 3d", [1, 4, 3, 4, 2], "avg", (2, 3, 2), (2, 1, 2), (1, 1, 0))
show("adaptive_avgpool 1d", last(F.adaptive_avg_pool1d(first(counted([2, 5, 2], 5)), 3)))
show("adaptive_avgpool 2d", last(F.adaptive_avg_pool2d(first(counted([1, 5, 4, 2], 5)), (3, 6))))
show("adaptive_avgpool 3d",
     last(F.adaptive_avg_pool3d(first(counted([1, 3, 2, 5, 1], 5)), (2, 1, 3))))
pooled, at = F.max_pool2d(first(counted([2, 5, 4, 2], 5)), 2, return_indices=True)
show("max_unpool 2d", last(F.max_unpool2d(first(counted([2, 2, 2, 2], 3)), at, 2,
                                          output_size=(5, 4))))
pooled, at = F.max_pool1d(torch.tensor([[[1.0, 9, 2, 8, 3]]]), 3, 2, 1, return_indices=True)
z = torch.tensor([[[10.0, 20, 40]]], requires_grad=True)
y = F.max_unpool1d(z, at, 3, 2, 1, output_size=(5,))
y.backward(torch.tensor([[[1.0, 2, 3, 4, 5]]]))
show("max_unpool of windows that overlap", y.detach())
show("its gradient", z.grad)


def spectral(name, layer, x, w_shape, steps, dim_out):
    """y, u, the gradient of the raw weights and v after `steps` forwards of training; u begins with
    counted(5). The loss is the sum of y times counted(3). Then y in evaluation, when the weights
    have become counted(2) and u and v are those of before."""
    def of(step):
        w = counted(w_shape, step)
        return weight(w) if w.dim() > 2 else w.T

    with torch.no_grad():
        layer.weight.copy_(of(7))
        layer.bias.copy_(counted(layer.bias.shape, 3))
    layer = torch.nn.utils.spectral_norm(layer)
    u = counted([w_shape[dim_out]], 5)
    layer.weight_u.copy_(u / u.norm())
    for _ in range(steps):
        y = layer(x)
    (last(y) * counted(last(y).shape, 3)).sum().backward()
    dw = layer.weight_orig.grad
    dw = dw.movedim((0, 1), (-1, -2)) if dw.dim() > 2 else dw.T
    show(name + ", y", last(y))
    show(name + ", u", layer.weight_u)
    show(name + ", dw", dw)
    show(name + ", v", layer.weight_v)
    with torch.no_grad():
        layer.weight_orig.copy_(of(2))
        show(name + ", y in evaluation", last(layer.eval()(x)))


spectral("spectral linear", torch.nn.Linear(5, 3), counted([2, 5], 5), [5, 3], 2, -1)
spectral("spectral conv", torch.nn.Conv2d(2, 3, 2, stride=2), first(counted([1, 4, 2, 2], 5)),
         [2, 2, 2, 3], 1, -1)
spectral("spectral conv_transpose", torch.nn.ConvTranspose2d(3, 2, 2, stride=2),
         first(counted([1, 1, 2, 3], 5)), [2, 2, 2, 3], 1, -2)
