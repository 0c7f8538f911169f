"""Muon (momentum, then Newton-Schulz orthogonalisation) for the hidden matrices.

Keller Jordan, https://kellerjordan.github.io/posts/muon/. Matrices of equal shape are orthogonalised as one batch.
"""

import torch

# Coefficients of the quintic iteration, from the post above.
A, B, C = 3.4445, -4.7750, 2.0315


def orthogonalise(x, steps=5):
    """x [n, rows, columns], rows <= columns -> the same with nearly orthogonal rows; computed in bfloat16."""
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(steps):
        gram = torch.bmm(x, x.transpose(1, 2))
        x = A * x + torch.bmm(B * gram + C * torch.bmm(gram, gram), x)
    return x.float()


class Muon(torch.optim.Optimizer):
    """Groups may say `split`: a fused matrix (qkv) is then taken as square ones, each orthogonalised by itself."""

    def __init__(self, groups, lr=1e-3, momentum=0.95, weight_decay=0.05):
        super().__init__(groups, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        by_shape = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                update = self._momentum(parameter, group["momentum"])
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                rows, columns = parameter.shape
                parts = rows // columns if group.get("split") and rows % columns == 0 else 1
                for weight, direction in zip(parameter.chunk(parts), update.chunk(parts)):
                    transposed = direction.shape[0] > direction.shape[1]
                    direction = direction.t() if transposed else direction
                    step_size = group["lr"] * 0.2 * max(direction.shape) ** 0.5
                    by_shape.setdefault(tuple(direction.shape), []).append((weight, direction, transposed, step_size))
        for entries in by_shape.values():
            orthogonal = orthogonalise(torch.stack([direction for _, direction, _, _ in entries]))
            for (weight, _, transposed, step_size), direction in zip(entries, orthogonal):
                weight.add_(direction.t() if transposed else direction, alpha=-step_size)

    def _momentum(self, parameter, momentum):
        """Nesterov's form: the gradient plus the updated running sum."""
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].mul_(momentum).add_(parameter.grad)
        return parameter.grad.add(state["momentum"], alpha=momentum)
