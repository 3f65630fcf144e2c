#!/usr/bin/python3
"""The table of tests/cmd/test_configs.c: for nets of torchvision 0.14 one number each, which is the
sum over all weights and running statistics of FNV-1a of "NAME D0 D1 ..", modulo 2^64, with the
shape in PyTorch's order.

  /usr/bin/python3 tests/golden/torchvision_names.py
"""
import torchvision.models as models

NETS = """alexnet densenet121 densenet169 densenet201 googlenet inception_v3 mobilenet_v2
mobilenet_v3_large resnet101 resnet152 resnet18 resnet34 resnet50 resnext50_32x4d
shufflenet_v2_x1_0 squeezenet1_0 squeezenet1_1 ssdlite320_mobilenet_v3_large vgg11 vgg16
vgg16_bn vgg19 vgg19_bn wide_resnet50_2""".split()


def fnv1a(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


for name in NETS:
    args = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if name.startswith("ssd"):
        args = {"weights": None, "weights_backbone": None, "num_classes": 91}
    where = models.detection if name.startswith("ssd") else models
    state = getattr(where, name)(**args).state_dict()
    names = [" ".join([key, *map(str, value.shape)]) for key, value in state.items()
             if not key.endswith("num_batches_tracked")]
    print('    {"%s", 0x%016x},' % (name, sum(map(fnv1a, names)) % 2**64))
