"""M4D-35k (MDFE): 328,400 pictures of 34,800 classes.

Its list names pictures of Products-10K, Google Landmarks v2, DeepFashion and Stanford Cars below one folder; `category`
is the folder of the set. docs/presets/m4d_35k.txt makes the same of the four sets themselves.
"""
