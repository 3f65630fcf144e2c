#!/usr/bin/python3
"""ONNX files that must be refused, for tests/fuzz/corpus/onnx and tests/cmd/test_onnx.c.

  /usr/bin/python3 tests/golden/onnx_broken.py FOLDER
"""
import sys

import onnx
from onnx import TensorProto, helper


def model(nodes, weights=(), dims=("batch", 3, 8, 8), opset=17):
    graph = helper.make_graph(nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, dims)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def weight(dims, n=None, kind=TensorProto.FLOAT):
    t = TensorProto(name="w", data_type=kind, dims=dims)
    t.raw_data = bytes(4 * (n if n is not None else 1))
    return t


def conv(**args):
    return helper.make_node("Conv", ["x", "w"], ["y"], name="conv", **args)


def relu(x, y):
    return helper.make_node("Relu", [x], [y], name=y)


def untyped(x, y):
    node = relu(x, y)
    node.ClearField("op_type")
    return node


def external():
    t = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3, 3, 3], data_location=TensorProto.EXTERNAL)
    t.external_data.add(key="location", value="w.bin")
    return t


FILES = {
    "circle": model([relu("b", "a"), relu("a", "b"), relu("b", "y")]),
    "external": model([conv()], [external()]),
    "short_weight": model([conv()], [weight([4, 3, 3, 3], 100)]),
    "huge_weight": model([conv()], [weight([1 << 40, 1 << 40])]),
    "negative_weight": model([conv()], [weight([-4, 3, 3, 3])]),
    "wrong_channels": model([conv()], [weight([4, 5, 3, 3], 180)]),
    "large_kernel": model([conv()], [weight([4, 3, 9, 9], 972)]),
    "odd_pads": model([conv(pads=[0, 0, 1, 1])], [weight([4, 3, 3, 3], 108)]),
    "auto_pad": model([conv(auto_pad="SAME_UPPER")], [weight([4, 3, 3, 3], 108)]),
    "huge_stride": model([conv(strides=[1 << 40, 1])], [weight([4, 3, 3, 3], 108)]),
    "zero_group": model([conv(group=0)], [weight([4, 3, 3, 3], 108)]),
    "strange_attribute": model([helper.make_node("Relu", ["x"], ["y"], name="r", slope=1.0)]),
    "strange_operator": model([helper.make_node("NonZero", ["x"], ["y"], name="n")]),
    "strange_domain": model([helper.make_node("Relu", ["x"], ["y"], name="r", domain="com.example")]),
    "dynamic_size": model([relu("x", "y")], dims=("batch", 3, "height", "width")),
    "huge_input": model([relu("x", "y")], dims=("batch", 1 << 30, 1 << 30, 1 << 30)),
    "no_output": model([relu("x", "z")]),
    "two_names": model([relu("x", "y"), relu("x", "y")]),
    "no_operator": model([helper.make_node("GlobalAveragePool", ["x"], ["z"], name="pool"), untyped("z", "y")]),
    "old_operators": model([relu("x", "y")], opset=7),
}


def main():
    for name, m in FILES.items():
        with open("%s/refused_%s.onnx" % (sys.argv[1], name), "wb") as f:
            f.write(m.SerializeToString())
    with open("%s/refused_cut_off.onnx" % sys.argv[1], "wb") as f:
        f.write(FILES["odd_pads"].SerializeToString()[:-9])


if __name__ == "__main__":
    main()
