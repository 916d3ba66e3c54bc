"""DeepFashion2 (Ge et al., CVPR 2019): consumers' and shops' pictures of garments, 191,961 of them for training.

`item` is "<pair_id>_<style>"; garments of style 0, which are in no pair, are left out. Boxes reach further by 2 % of
their sides; a picture of one garment stays whole, as in MDFE. `subcategory` is one of 13 kinds of garment.
"""
