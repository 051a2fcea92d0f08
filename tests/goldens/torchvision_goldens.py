"""Writes what torchvision says of the networks that Safelight has.

    python3 -m venv env && env/bin/pip install torch==2.11.0 torchvision==0.26.0
    env/bin/python tests/goldens/torchvision_goldens.py

* src/pretrained/layouts/NETWORK.txt: the tensors of its body, names and extents.
* tests/goldens/torchvision-0.26.json: scores (without the softmax) of two
  pictures, and the mean of the last feature map, with weights that both sides
  compute by the same formula. vgg11_bn has another head here, so only its
  features are compared.
"""

import json
import math
import os

import numpy
import torch
import torchvision

NETWORKS = ["resnet18", "resnet34", "resnet50", "mobilenet_v2", "efficientnet_b0", "densenet121", "vgg11_bn"]
CLASSES = 5
SIZE = 64
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def is_head(name):
    return name.startswith(("fc.", "classifier."))


def values(index, name, shape):
    """The tensor of this place among the sorted names: waves of sine, scaled so
    that maps neither vanish nor grow."""
    count = math.prod(shape)
    wave = numpy.sin(0.7 * numpy.arange(count, dtype=numpy.float64) ** 1.1 + index)
    if name.endswith("running_var"):
        wave = 1.0 + 0.5 * numpy.abs(wave)
    elif len(shape) == 1:
        wave = 0.1 * wave + (1.0 if name.endswith("weight") else 0.0)
    else:
        inputs = count // shape[0]
        wave = wave * math.sqrt(2.0 / inputs)
    return torch.from_numpy(wave.astype(numpy.float32)).reshape(shape)


def main():
    torch.set_num_threads(1)
    goldens = {}
    count = 2 * 3 * SIZE * SIZE
    pictures = numpy.sin(0.7 * numpy.arange(count, dtype=numpy.float64)).astype(numpy.float32)
    pictures = torch.from_numpy(pictures).reshape(2, 3, SIZE, SIZE)
    for name in NETWORKS:
        network = getattr(torchvision.models, name)(num_classes=CLASSES).eval()
        state = {key: tensor for key, tensor in network.state_dict().items() if "num_batches" not in key}
        body = {key: tensor for key, tensor in state.items() if not is_head(key)}
        with open(os.path.join(ROOT, "src", "pretrained", "layouts", f"{name}.txt"), "w") as table:
            for key, tensor in sorted(body.items()):
                table.write(f"{key} {'x'.join(str(extent) for extent in tensor.shape)}\n")
        names = sorted(state if name != "vgg11_bn" else body)
        filled = {key: values(index, key, tuple(state[key].shape)) for index, key in enumerate(names)}
        network.load_state_dict({**network.state_dict(), **filled})
        with torch.no_grad():
            if name.startswith("resnet"):
                map = torch.nn.Sequential(*list(network.children())[:-2])(pictures)
            else:
                map = network.features(pictures)
                map = torch.relu(map) if name == "densenet121" else map
            scores = network(pictures) if name != "vgg11_bn" else None
        goldens[name] = {
            "features": map.mean((2, 3))[:, :16].tolist(),
            "scores": None if scores is None else scores.tolist(),
        }
    with open(os.path.join(ROOT, "tests", "goldens", "torchvision-0.26.json"), "w") as file:
        json.dump(goldens, file, indent=1)


main()
