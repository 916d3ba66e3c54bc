"""What recipes have in common whose batches a sampler draws, and which may hold the backbone or the head fixed."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from pipeline.base.errors import UserError
from pipeline.training.batches import Sampler, load_epoch
from pipeline.training.recipe import TrainingContext


class SampledRecipe:
    """Builds the model, loads the batches and keeps the model's state.

    A recipe calls `set_up` once its own networks are built. Batch norms of a backbone that is held fixed by `project`
    still move their running statistics, but for those that are frozen or set to eval.
    """

    def __init__(self, context: TrainingContext, sampler: Sampler) -> None:
        self.context, self.sampler = context, sampler
        self.embedder, self.pictures = context.build_model()

    def set_up(self, optimizer: Optimizer) -> Optimizer:
        """Put the model, which `optimizer` trains, onto the device; returns the optimiser to use from now on."""
        self.network, optimizer = self.context.fabric.setup(self.embedder, optimizer)
        for method in ("pool", "project"):
            self.network.mark_forward_method(method)
        return optimizer

    def n_batches(self, epoch: int) -> int:  # noqa: ARG002  the face allows epochs of different lengths
        """Batches an epoch."""
        return self.sampler.n_batches

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of (images (N, 3, S, S), labels (B,)) as the sampler draws them."""
        return load_epoch(self.pictures, self.sampler, epoch=epoch, first=first, workers=self.context.workers)

    def state(self) -> dict[str, Any]:
        """Weights of the model, and which classes the labels are."""
        return {"embedder": self.embedder.state_dict(), "classes": self.sampler.names}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned. Raises UserError when that learned other classes."""
        before, now = state["classes"], self.sampler.names
        if before != now:
            raise UserError(
                f"finetune: the checkpoint below runtime.scratch was trained on {len(before)} classes, of which "
                f"{len(set(before) & set(now))} are among the {len(now)} of the source; delete it to train anew, or "
                "bring the classes back"
            )
        self.embedder.load_state_dict(state["embedder"])

    def to_device(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The batch where the model is, images channels last."""
        images, labels = self.context.fabric.to_device(batch)
        return images.contiguous(memory_format=torch.channels_last), labels

    def project(self, images: Tensor, *, backbone_learns: bool, head_learns: bool = True) -> Tensor:
        """Output of the head before the final L2 (B, D) float32, with gradients for what learns."""
        with torch.set_grad_enabled(backbone_learns):
            pooled = self.network.pool(images)
        with torch.set_grad_enabled(head_learns):
            return self.network.project(pooled)
