"""What recipes have in common whose batches a sampler draws, and which may hold the backbone or the head fixed."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from pipeline.images.loading import Inputs, to_device
from pipeline.models.embedder import build_embedder
from pipeline.models.network import Network
from pipeline.params.finetune import ModelParams
from pipeline.training.batches import Sampler, load_epoch
from pipeline.training.context import TrainingContext
from pipeline.training.face import KEPT
from pipeline.training.optim import build_optimizer, scale_lr
from pipeline.training.processes import gather, on_shares, share_of


class SampledRecipe:
    """Builds the model and loads the batches; a recipe adds its other networks, its optimisers and its step.

    `build` makes a network of another kind than `embedder`.
    Batch norms of a backbone that is held fixed by `project` still move their running statistics, but for those that
    are frozen or set to eval.
    """

    def __init__(
        self, context: TrainingContext, sampler: Sampler, build: Callable[[ModelParams], Network] = build_embedder
    ) -> None:
        self.context, self.sampler = context, sampler
        self.embedder, self.rows = context.build_model(build)
        self.networks: dict[str, nn.Module] = {KEPT: self.embedder}
        self.optimizers: dict[str, Optimizer] = {}
        self.facts: dict[str, Any] = {"classes": sampler.names}

    def optimize(self) -> None:
        """Let one optimiser, of finetune.optim, train all networks there are now."""
        trained = nn.ModuleList(self.networks.values())
        self.optimizers["model"] = build_optimizer(trained.parameters(), self.context.params.optim)

    def learn(self, losses: dict[str, Tensor], lr_factor: float = 1.0, optimizer: str = "model") -> dict[str, float]:
        """One step of an optimiser down the scalar `losses["loss"]`, at `lr_factor` of its rates; all as numbers."""
        stepped = self.optimizers[optimizer]
        scale_lr(stepped, lr_factor)
        stepped.zero_grad()
        self.context.backward(losses["loss"])
        stepped.step()
        return {name: loss.item() for name, loss in losses.items()}

    def n_batches(self, epoch: int) -> int:  # noqa: ARG002  the face allows epochs of different lengths
        """Batches an epoch."""
        return self.sampler.n_batches

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Inputs, Tensor]]:
        """Batches of (images (N, 3, S, S), labels (B,)) as the sampler draws them; pooled features if it is frozen.

        Of several processes each has its share of the images, and all labels.
        """
        share = share_of(self.context.fabric)
        return load_epoch(self.rows, self.sampler, epoch=epoch, first=first, workers=self.context.workers, share=share)

    def to_device(self, batch: tuple[Inputs, Tensor]) -> tuple[Inputs, Tensor]:
        """The batch where the model is, images channels last."""
        inputs, labels = batch
        device = self.context.fabric.device
        return to_device(inputs, device), labels.to(device)

    def project(
        self,
        images: Inputs,
        n: int,
        *,
        backbone_learns: bool = True,
        head_learns: bool = True,
        dropout: float = 0.0,
    ) -> Tensor:
        """Output of the head before the final L2 (n, D) float32, with gradients for what learns.

        `images` are this process's share of the `n` pictures; `dropout` is the share of pooled features that the head
        is not shown. The model runs in the precision of the run; what is made of its output is float32.
        """
        fabric = self.context.fabric
        with fabric.autocast(), on_shares(fabric):
            with torch.set_grad_enabled(backbone_learns):
                pooled = self.embedder.pool(images)
                if dropout:
                    pooled = F.dropout(pooled, dropout)
            with torch.set_grad_enabled(head_learns):
                rows = self.embedder.project(pooled)
        return gather(rows, n, fabric)
