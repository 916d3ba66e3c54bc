"""Google Landmarks v2 (Weyand et al., CVPR 2020), the clean part: 1,580,470 photos of 81,313 landmarks.

The list `cls10000` is that of M4D-35k: 79,166 photos of 10,000 of them, at most 10 of each.
"""
