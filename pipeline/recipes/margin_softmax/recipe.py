"""MDFE's training: cross entropy over class centres with a margin, of the head on pooled features, frozen as published.

Public GitHub project `morrisfl/mdfe` (2024), a submission to Google's Universal Image Embedding Challenge. The classes
are the items of the source, whatever the domain of a picture. The losses are in `centres`, `margins` and `adaptive`;
they read the head's output before the final L2, with dropout on what the head is given.
"""

from torch import Tensor

from pipeline.base.errors import UserError
from pipeline.models.embedder import plan_embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.margin_softmax.batches import ShuffledPictures
from pipeline.recipes.margin_softmax.centres import draw_classes
from pipeline.recipes.margin_softmax.groups import check_layers, parameter_groups
from pipeline.recipes.margin_softmax.losses import SECTION, build_loss
from pipeline.recipes.margin_softmax.params import Params
from pipeline.recipes.margin_softmax.schedule import batch_factor
from pipeline.training.context import TrainingContext
from pipeline.training.optim import build_optimizer, scale_lr
from pipeline.training.processes import share_of
from pipeline.training.sam import sam_step
from pipeline.training.sampled import SampledRecipe


class MarginSoftmaxRecipe(SampledRecipe):
    """One network with class centres behind its head, one optimiser.

    Dropout and a part of the classes are drawn from torch's global generator, which the loop seeds a batch.
    """

    def __init__(self, context: TrainingContext, params: Params) -> None:
        self.params = params
        sampler = ShuffledPictures(context.table, batch_size=params.batch_size, seed=context.seed)
        share_of(context.fabric).chosen(sampler.smallest)  # too many processes are told before the last batch
        super().__init__(context, sampler)
        check_layers(self.embedder, params)
        loss = build_loss(params, sampler.counts, self.embedder.head.shape[0])
        self.networks["loss"] = loss
        groups = parameter_groups(self.embedder, loss, context.params, params)
        self.optimizers["model"] = build_optimizer(groups, context.params.optim)

    def step(self, batch: tuple[Tensor, Tensor], epoch: float) -> dict[str, float]:
        """One optimiser step; reports the loss before it."""
        params, common = self.params, self.context.params
        images, labels = self.to_device(batch)
        self.embedder.train()
        classes = None
        if params.sampled is not None:
            classes = draw_classes(batch[1], len(self.sampler.names), params.sampled).to(labels.device)

        def loss() -> Tensor:
            embeddings = self.project(images, len(labels), dropout=params.dropout)
            return self.networks["loss"](embeddings, labels, classes)

        factor = batch_factor(common.optim, params, epoch, common.epochs, self.sampler.n_batches)
        if params.sam_rho is None:
            return self.learn({"loss": loss()}, factor)
        optimizer, context = self.optimizers["model"], self.context
        scale_lr(optimizer, factor)
        made = sam_step(optimizer, loss, rho=params.sam_rho, fabric=context.fabric, backward=context.backward)
        return {"loss": made.item()}


def build(context: TrainingContext, params: Params) -> MarginSoftmaxRecipe:
    """The recipe on `context`. Raises UserError when the source has too few items, and for what `check` refuses."""
    return MarginSoftmaxRecipe(context, params)


def check(common: FinetuneParams, params: Params) -> None:
    """Raise UserError for a model that cannot be had, or that does not fit the loss or the rates."""
    check_layers(plan_embedder(common.model), params)
    if params.loss == "adaface" and common.model.output != "none":
        raise UserError(
            f"{SECTION}.loss: adaface reads the lengths of embeddings, which finetune.model.output: "
            f"{common.model.output} makes alike; set none"
        )
