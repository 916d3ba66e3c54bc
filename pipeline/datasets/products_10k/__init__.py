"""Products-10K (Bai et al., 2020): the training list, 141,931 photos of 9,691 products."""
