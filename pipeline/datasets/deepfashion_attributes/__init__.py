"""DeepFashion Category and Attribute Prediction."""
