"""deep-fashion-retrieval's training: a classifier of categories on the embeddings, and triplets of items or categories.

Public GitHub project `ihciah/deep-fashion-retrieval` (2017). The classes are the categories of the source. A step
passes a batch to be classified and a batch of triplets through the network, each by itself, and minimises the sum of
both losses. Both read the head's output before the final L2 (`finetune.model.output:
none`, as published, leaves it as it is).

Where the published training is defective, it is mended:
- A batch of category triplets held one triplet, with the same anchor every time: it is full, and every picture of a
  category that has another one becomes an anchor.
- A test at the first batch left the network in eval mode, so that batch norms kept ImageNet's statistics: they are
  trained. `finetune.model.frozen_bn: true` gives the published behaviour.
- Nothing was shuffled between epochs or seeded, and a category triplet's positive could be its anchor: batches are
  shuffled, follow from the seed, and anchor and positive differ.
"""

from typing import Annotated

from pydantic import Field
from torch import Tensor, nn

from pipeline.base.params import Section
from pipeline.models.embedder import plan_embedder
from pipeline.params.finetune import FinetuneParams
from pipeline.recipes.category_triplet.batches import CategoryTripletSampler
from pipeline.recipes.category_triplet.losses import Distance, weighted_losses
from pipeline.training.context import TrainingContext
from pipeline.training.processes import share_of
from pipeline.training.sampled import SampledRecipe
from pipeline.training.schedule import lagging_factor


class Params(Section):
    """`triplet_weight` 0: no triplets. `classified` null: all pictures are classified, else those of that dataset."""

    batch_size: Annotated[int, Field(ge=2)]
    triplets: Annotated[int, Field(ge=1)]
    triplet_weight: Annotated[float, Field(ge=0)]
    margin: Annotated[float, Field(ge=0)]
    distance: Distance
    item_share: Annotated[float, Field(ge=0, le=1)]
    classified: str | None
    frozen_epochs: Annotated[int, Field(ge=0)]


class CategoryTripletRecipe(SampledRecipe):
    """One network with a linear classifier behind its head, one optimiser."""

    def __init__(self, context: TrainingContext, params: Params) -> None:
        self.params = params
        sampler = CategoryTripletSampler(
            context.table,
            batch_size=params.batch_size,
            triplets=params.triplets if params.triplet_weight else 0,
            item_share=params.item_share,
            classified=params.classified,
            seed=context.seed,
        )
        super().__init__(context, sampler)
        self.networks["classifier"] = nn.Linear(self.embedder.head.shape[0], len(sampler.names))
        self.optimize()

    def step(self, batch: tuple[Tensor, Tensor], epoch: float) -> dict[str, float]:
        """One optimiser step; reports the losses before it."""
        images, labels = self.to_device(batch)
        params, common = self.params, self.context.params
        frozen = epoch < params.frozen_epochs
        self.embedder.train()
        if frozen:
            self.embedder.backbone.eval()  # running statistics are not to move either
        # Two passes: batch norms see each of the two batches by itself.
        own = len(share_of(self.context.fabric).places(len(labels)))
        classified, triplets = images[:own], images[own:]
        logits = self.networks["classifier"](self.project(classified, len(labels), backbone_learns=not frozen))
        losses = weighted_losses(
            logits,
            labels,
            self.project(triplets, 3 * params.triplets, backbone_learns=not frozen) if len(triplets) else None,
            weight=params.triplet_weight,
            margin=params.margin,
            distance=params.distance,
        )
        return self.learn(losses, lagging_factor(common.optim, epoch, common.epochs, lag=params.frozen_epochs))


def build(context: TrainingContext, params: Params) -> CategoryTripletRecipe:
    """The recipe on `context`. Raises UserError when the source has too few categories, items or pictures."""
    return CategoryTripletRecipe(context, params)


def check(common: FinetuneParams, params: Params) -> None:  # noqa: ARG001  as every recipe
    """Raise UserError for a model that cannot be had."""
    plan_embedder(common.model)
