"""Products: a pair (category, item) each, since an item id may be used in several categories, and coded here alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.base.names import CATEGORY, ITEM, Domain


@dataclass(frozen=True)
class Catalogue:
    """The products of the source, coded 0..G-1.

    categories, items (G,) str: the products in ascending order, so those of one category are neighbours;
    codes (N,) int64: product of every source row; shop (N,) bool: whether the row is a shop picture (else consumer).
    """

    categories: np.ndarray
    items: np.ndarray
    codes: np.ndarray
    shop: np.ndarray

    @property
    def n_shop(self) -> np.ndarray:
        """(G,) int64 shop pictures of each product."""
        return np.bincount(self.codes[self.shop], minlength=len(self.items))

    @property
    def n_consumer(self) -> np.ndarray:
        """(G,) int64 consumer pictures of each product."""
        return np.bincount(self.codes[~self.shop], minlength=len(self.items))

    def find(self, categories: np.ndarray, items: np.ndarray) -> np.ndarray:
        """The codes (n,) int64 of these pairs, categories and items (n,) str; -1 for a pair that is no product here."""
        n = len(self.items)
        pairs = zip((self.categories, self.items), (categories, items), strict=True)
        _, _, places = code_products(*(np.concatenate(pair) for pair in pairs))
        codes = np.full(places.max(initial=-1) + 1, -1, dtype=np.int64)
        codes[places[:n]] = np.arange(n)
        return codes[places[n:]]


def build_catalogue(categories: np.ndarray, items: np.ndarray, domains: np.ndarray) -> Catalogue:
    """The catalogue of the source rows; categories, items, domains (N,) str, the latter `consumer` or `shop`."""
    return Catalogue(*code_products(categories, items), shop=np.asarray(domains == str(Domain.SHOP)))


def product_codes(table: pd.DataFrame) -> np.ndarray:
    """The product (N,) int64 of every row of the manifest: its place among those that occur, in ascending order."""
    return code_products(*(table[column].to_numpy(dtype=str) for column in (CATEGORY, ITEM)))[2]


def code_products(categories: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct pairs (category, item) of N rows in ascending order, and the place of each row's pair among them.

    categories, items (N,) str -> categories (G,) str, items (G,) str, codes (N,) int64.
    """
    names, category = np.unique(categories, return_inverse=True)
    ids, item = np.unique(items, return_inverse=True)
    pairs, codes = np.unique(category.astype(np.int64) * len(ids) + item, return_inverse=True)
    return names[pairs // len(ids)], ids[pairs % len(ids)], codes.astype(np.int64)
