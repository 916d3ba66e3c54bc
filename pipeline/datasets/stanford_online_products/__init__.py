"""Stanford Online Products (Oh Song et al., CVPR 2016): photos of products from an auction site.

Products of the training list (11,318: 59,551 pictures) and of the test list (11,316: 60,502 pictures) are disjoint; the
test pictures are searched by themselves (split test). `item` is the product (`class_id`), `category` the super class
("bicycle"), `domain` always shop.
"""
