"""A bare PyTorch training step, ResNet-18, channels last: what training can at
most be. bare_step.py THREADS fp32|bf16 SIZE BATCH"""

import statistics
import sys
import time

import torch
from torch import nn

threads, precision, size, batch = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(1)


class Block(nn.Module):
    """He et al. 2015, as torchvision's BasicBlock."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.short = None
        if stride != 1 or inputs != outputs:
            self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        long = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(long + (x if self.short is None else self.short(x)))


layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
channels = 64
for outputs, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
    layers += [Block(channels, outputs, stride), Block(outputs, outputs, 1)]
    channels = outputs
layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 6)]
network = nn.Sequential(*layers).to(memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, foreach=True)
images = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
labels = torch.randint(0, 6, (batch,))


def step():
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        scores = network(images)
    nn.functional.cross_entropy(scores.float(), labels).backward()
    optimizer.step()


for _ in range(3):
    step()
seconds, before = [], time.process_time()
for _ in range(30):
    began = time.perf_counter()
    step()
    seconds.append(time.perf_counter() - began)
processor = (time.process_time() - before) / 30 / batch
print(
    f"bare PyTorch {torch.__version__} step, {precision} channels last, {size} px, batch {batch}, {threads} threads: "
    f"{batch / statistics.median(seconds):.0f} images/s by the median of 30, {batch / min(seconds):.0f} by the best, "
    f"{processor * 1000:.2f} ms of processor time an image"
)
