"""DeepFashion, Consumer-to-shop (Liu et al., CVPR 2016), by a list of training items in JSON: {group: {item: [paths]}}.

So a copy on Kaggle has it. `item` is the folder of a picture; of one that is in two groups the pictures of the later
one are kept. 14,300 items have 3 pictures or more: 100,400 pictures. deepfashion_consumer_to_shop reads the official
lists, with the test part, boxes and categories.
"""
