"""CUB-200-2011 (Wah et al., 2011): birds, for retrieval without shared classes.

Of the 200 classes the first half is for training (100: 5,864 pictures), the other half is searched by itself (split
test: 5,924 pictures). This is the split of the literature on metric learning, not the one of `train_test_split.txt`,
in which train and test share the classes. `item` is the class ("001.Black_footed_Albatross"), `category` always
"bird", `domain` always shop.
"""
