"""The loss between samples and proxies."""

import torch
import torch.nn.functional as F
from pytorch_metric_learning.utils.loss_and_miner_utils import logsumexp
from torch import Tensor

from pipeline.recipes.dada.mixing import Rows
from pipeline.recipes.dada.params import ProxyParams


def proxy_loss(rows: Rows, proxies: Tensor, params: ProxyParams) -> tuple[Tensor, Tensor]:
    """Positive and negative term, to be added; `proxies` (C, D) are those of all classes.

    With cosines s of samples i and proxies, and log-sums l(x) = log(1 + sum exp x), empty sums giving 0:
    positive: mean over rows j of l over samples i of the class of j of -alpha+ (s(i, proxy of j) - delta+);
    negative: mean over classes c of l over samples i of other classes of alpha- (s(i, c) - delta-).
    `sum_over` proxies: the same sums along the other axis, averaged over samples.
    As Kim, Kim, Cho, Kwak, "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020, eq. 4, but with two scales, and
    with classes in the positive term weighted by their rows.
    """
    samples = F.normalize(rows.samples, dim=1)
    own = rows.labels[:, None] == rows.labels[None, :]
    of_class = rows.labels[:, None] == torch.arange(len(proxies), device=proxies.device)
    to_own = samples @ F.normalize(rows.proxies, dim=1).T
    to_all = samples @ F.normalize(proxies, dim=1).T
    axis = 0 if params.sum_over == "samples" else 1
    positive = logsumexp(-params.alpha_positive * (to_own - params.delta_positive), own, dim=axis).mean()
    negative = logsumexp(params.alpha_negative * (to_all - params.delta_negative), ~of_class, dim=axis).mean()
    return positive, negative
