"""Food-101 (Bossard et al., ECCV 2014): 101 dishes of 750 training and 250 test photos each.

The list is that of the test part, which is cleaner: 25,250 photos to train on, as MDFE has it.
"""
