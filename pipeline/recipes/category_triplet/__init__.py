"""deep-fashion-retrieval's training: a classifier of categories, and triplets of items or categories."""
