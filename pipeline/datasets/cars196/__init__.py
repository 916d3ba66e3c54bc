"""CARS196, or Stanford Cars (Krause et al., 2013), for retrieval without shared classes.

Of the 196 classes the first half is for training (98: 8,054 pictures), the other half is searched by itself (split
test: 8,131 pictures). This is the split of the literature on metric learning, not the official one, in which train and
test share the classes: the pictures of both its parts are taken together. `item` is the class ("AM General Hummer SUV
2000", with "-" for "/"), `category` always "car", `domain` always shop.
"""
