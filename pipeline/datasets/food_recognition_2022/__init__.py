"""Food Recognition 2022 (AIcrowd): food on plates, cut out by boxes of COCO's form; 39,962 photos of 498 foods.

`item` is the number of the food. A box reaches further by 2 % of its sides, as in MDFE; each is a row of its own. A box
that is there under two foods counts for the first.
"""
