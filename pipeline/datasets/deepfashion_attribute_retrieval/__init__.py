"""DeepFashion Category and Attribute, as attribute-specific retrieval has it: five groups of attributes."""
