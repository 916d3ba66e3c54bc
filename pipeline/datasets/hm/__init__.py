"""H&M Personalized Fashion Recommendations (Kaggle, 2022): 105,542 articles of 47,224 products, a photo an article.

Photos of some 400 articles are not there; `prepare` counts and lists them.
"""
