"""How well k-means clusters of embeddings agree with items: NMI and pairwise F1.

Protocol of Oh Song, Xiang, Jegelka, Savarese, "Deep Metric Learning via Lifted Structured Feature Embedding",
CVPR 2016.
"""

import numpy as np

ITERATIONS = 20


def cluster_agreement(embeddings: np.ndarray, items: np.ndarray) -> dict[str, float]:
    """{"nmi", "f1"} of k-means clusters, as many as there are items; embeddings (N, D) float32, items (N,)."""
    return agreement(items, kmeans(embeddings, len(np.unique(items))))


def kmeans(embeddings: np.ndarray, k: int) -> np.ndarray:
    """Cluster of each row (N,) int64: 20 iterations of k-means (faiss, its default seed) on all rows."""
    import faiss

    rows = np.ascontiguousarray(embeddings, dtype=np.float32)
    # Without these limits faiss would train on 256 rows a cluster only, and warn of clusters with fewer than 39.
    clustering = faiss.Kmeans(
        rows.shape[1], k, niter=ITERATIONS, min_points_per_centroid=1, max_points_per_centroid=len(rows)
    )
    clustering.train(rows)
    return clustering.index.search(rows, 1)[1][:, 0]


def agreement(items: np.ndarray, clusters: np.ndarray) -> dict[str, float]:
    """NMI (arithmetic mean) and F1 over pairs of rows; items (N,), clusters (N,).

    F1 = 2 TP / (pairs of one item + pairs of one cluster), TP the pairs that share both; 0 where there are no pairs.
    """
    from sklearn.metrics import normalized_mutual_info_score
    from sklearn.metrics.cluster import pair_confusion_matrix

    (_, apart), (split, both) = pair_confusion_matrix(items, clusters).tolist()
    pairs = 2 * both + apart + split
    return {
        "nmi": float(normalized_mutual_info_score(items, clusters)),
        "f1": 2 * both / pairs if pairs else 0.0,
    }
