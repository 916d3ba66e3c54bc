"""What a crop shows of an attribute: the patch branch of RPF, a ViT that an attribute's token looks into."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.models.attributes.attention import LAYER_NORM_EPS, perceptron


class CrossAttention(nn.Module):
    """Multi-head attention of queries to other tokens; no residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """Queries (B, m, D), tokens (B, n, D) -> (B, m, D)."""
        parts = (self.query(queries), self.key(tokens), self.value(tokens))
        seen = F.scaled_dot_product_attention(*map(self._split, parts))
        return self.out(seen.transpose(1, 2).flatten(2))

    def weights(self, queries: Tensor, tokens: Tensor) -> Tensor:
        """How much each head sees of each token (B, heads, m, n)."""
        query, key = self._split(self.query(queries)), self._split(self.key(tokens))
        return (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(dim=-1)

    def _split(self, rows: Tensor) -> Tensor:
        return rows.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class PatchBranch(nn.Module):
    """A ViT without its last norm, cross attention of the attribute's token to its patches, and a head.

    `vit` is one of timm, as `prepare_vit` leaves it; `heads` are also those of the cross attention. `reduction` and
    `dropout` are of the head's perceptron.
    """

    def __init__(
        self, vit: nn.Module, table_dim: int, embedding_dim: int, *, heads: int, reduction: int, dropout: float
    ) -> None:
        super().__init__()
        width = vit.embed_dim
        self.vit, self.to_query = vit, nn.Linear(table_dim, width)
        self.types = nn.Parameter(torch.empty(2, width))  # added to the attribute's token, to all of the ViT's
        self.norm_tokens, self.cross = nn.LayerNorm(width, LAYER_NORM_EPS), CrossAttention(width, heads)
        self.widen = nn.Linear(width, embedding_dim)
        self.norm_mlp = nn.LayerNorm(embedding_dim, LAYER_NORM_EPS)
        self.mlp = perceptron(embedding_dim, reduction, nn.GELU(), dropout)
        self.norm = nn.LayerNorm(embedding_dim, LAYER_NORM_EPS)
        nn.init.trunc_normal_(self.types, std=0.02)
        for module in (self.to_query, *self.cross.children(), self.widen, *self.mlp):
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, crops: Tensor, attribute: Tensor) -> Tensor:
        """Crops (B, 3, S, S), attributes (B, E) -> embeddings (B, F)."""
        rows = self.widen(self.cross(*self.tokens(crops, attribute)).squeeze(1))
        return self.norm(self.mlp(self.norm_mlp(rows)) + rows)

    def tokens(self, crops: Tensor, attribute: Tensor) -> tuple[Tensor, Tensor]:
        """The attribute's token (B, 1, D) and those of the patches (B, n, D), as the cross attention takes them."""
        patches = self.vit.forward_features(crops)[:, self.vit.num_prefix_tokens :] + self.types[1]
        query = self.to_query(attribute).unsqueeze(1) + self.types[0]
        return self.norm_tokens(query), self.norm_tokens(patches)


def prepare_vit(vit: nn.Module, *, dropout: float, zero_class_token: bool) -> nn.Module:
    """A VisionTransformer of timm without its last norm, with `dropout` where RPF has it.

    That is behind positions and both layers of each perceptron, and not behind the projection of an attention, where
    timm's own `proj_drop_rate` puts it too.
    """
    vit.norm = nn.Identity()
    vit.pos_drop.p = dropout
    for block in vit.blocks:
        block.mlp.drop1.p = block.mlp.drop2.p = dropout
    if zero_class_token and vit.cls_token is not None:
        nn.init.zeros_(vit.cls_token)
    return vit
