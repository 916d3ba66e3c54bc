"""FashionAI, as attribute-specific retrieval has it: eight attributes of clothes."""
