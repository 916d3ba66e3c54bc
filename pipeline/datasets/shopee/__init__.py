"""Shopee, Price Match Guarantee (Kaggle, 2021): 34,250 postings of 11,014 groups; a picture may be posted twice."""
