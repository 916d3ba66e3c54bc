"""Grocery Store Dataset (Klasson et al., WACV 2019): pictures taken in shops, with those of an on-line shop.

Natural pictures (5,125, consumer) of 81 products, each with one iconic picture (shop), in the parts Fruit, Vegetables
and Packages. Some parts are the source, with the coarse class ("Apple") as `category`, some the target, whose iconic
pictures are there twice: as gallery, and as what an unlabelled shop shows. `item` is the fine class
("Golden-Delicious").
"""
