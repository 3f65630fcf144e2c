"""Prints the numbers in tests/core/ops of bce, cosine, dice, focal, huber, kl and
total_variation, by PyTorch, or where it has no such loss by the formula of the source."""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=12)

A = torch.tensor([-2, 0.5, 3, -0.1])
B = torch.tensor([0, 1, 0.9, 0.3])

# Two samples of 2x2 pixels and three classes; the scores of the first class stand for one channel.
LOGITS = torch.tensor([
    [1, 0, 2], [2, -1, 0.5], [0.3, 0.2, -0.1], [-1, 2, 1],
    [0, 1, -2], [0.7, 0.1, 0.4], [3, -2, 1], [-0.5, 0, 0.5],
]).reshape(2, 2, 2, 3)
MASK = torch.tensor([2, 0, 1, -1, 1, 0, 2, 2]).reshape(2, 2, 2)
SCORE = LOGITS[..., :1]
BINARY = torch.tensor([1, 0, 1, -1, 1, 0, 0, 1]).reshape(2, 2, 2)
TEACHER = LOGITS.flip(2) * 0.8


def show(name, value):
    print(name, "%.12f" % float(value))


def dice(p, mask, classes, smooth):
    """1 - (2 sum(p t) + s) / (sum(p) + sum(t) + s), the mean over classes and samples."""
    losses = []
    for k, j in enumerate(classes):
        t = (mask == j) * 1.0
        q = p[..., k] * (mask >= 0)
        both, total = (q * t).sum((1, 2)), q.sum((1, 2)) + t.sum((1, 2))
        losses.append(1 - (2 * both + smooth) / (total + smooth))
    return torch.stack(losses).mean()


def focal(p_all, label, gamma, weights):
    p = p_all.gather(-1, label.clamp(min=0)[..., None])[..., 0]
    term = -torch.tensor(weights)[label.clamp(min=0)] * (1 - p) ** gamma * p.log()
    return term[label >= 0].mean()


def kl(logits, target, t):
    """Hinton et al.: the soft targets' part is multiplied by T^2."""
    q = F.log_softmax(logits.reshape(-1, 3) / t, 1)
    p = F.softmax(target.reshape(-1, 3) / t, 1)
    return F.kl_div(q, p, reduction="batchmean") * t * t


show("bce", F.binary_cross_entropy_with_logits(A, B))
show("bce positive=3", F.binary_cross_entropy_with_logits(A, B, pos_weight=torch.tensor(3.0)))
show("huber", F.huber_loss(A, B))
show("huber delta=2", F.huber_loss(A, B, delta=2.0))
show("smooth_l1 beta=2, times 2", F.smooth_l1_loss(A, B, beta=2.0) * 2)
show("cosine", (1 - F.cosine_similarity(LOGITS, TEACHER, dim=3)).mean())
show("kl", kl(LOGITS, TEACHER, 1))
show("kl temperature=4", kl(LOGITS, TEACHER, 4))

softmax = LOGITS.softmax(3)
show("dice", dice(softmax, MASK, range(3), 1))
show("dice smooth=0", dice(softmax, MASK, range(3), 0))
show("dice of scores", dice(SCORE.sigmoid(), BINARY, [1], 1))

show("focal", focal(softmax, MASK, 2, [1.0, 1, 1]))
show("focal gamma=0.5, weights", focal(softmax, MASK, 0.5, [1.0, 2, 0.5]))
p = SCORE.sigmoid()
both = torch.cat([1 - p, p], 3)
show("focal of scores, weights", focal(both, BINARY, 2, [0.75, 0.25]))
show("focal of scores, gamma=0", focal(both, BINARY, 0, [1.0, 1]))

few, rest = LOGITS.reshape(-1, 3)[:4], torch.tensor([2, -100, 1, -100])
show("cross_entropy of two rows", F.cross_entropy(few, rest))
show("cross_entropy of two rows, weights, smoothing=0.1",
     F.cross_entropy(few, rest, torch.tensor([1.0, 2, 5]), label_smoothing=0.1))

# Shares of three classes; the last row is of none, which PyTorch would count.
X = torch.tensor([[1, 0, 4], [2, -1, 0.5], [0.3, 0.2, -0.1], [1, 2, 3]])
T = torch.tensor([[0.3, 0, 0.7], [1, 0, 0], [0.25, 0.5, 0.1]])
W = torch.tensor([1, 2, 0.5])
for name, kw in (("", {}), (", smoothing=0.1", {"label_smoothing": 0.1}), (", weights", {"weight": W}),
                 (", weights, smoothing=0.1", {"weight": W, "label_smoothing": 0.1})):
    show("cross_entropy of shares" + name, F.cross_entropy(X[:3], T, **kw))
# Of pixels: channels in place 1.
show("cross_entropy of shares of pixels",
     F.cross_entropy(LOGITS.movedim(-1, 1), TEACHER.softmax(-1).movedim(-1, 1), W))

dy, dx = LOGITS.diff(dim=1).abs().sum(), LOGITS.diff(dim=2).abs().sum()
show("total_variation", (dy + dx) / LOGITS.numel())
