"""Category names by number, as the lists and feature files of UDMA count them."""

# Of DeepFashion consumer-to-shop: folders GROUP/Type in the order of a sort that ignores the underscore.
DEEPFASHION = (
    "CLOTHING/Blouse", "CLOTHING/Coat", "CLOTHING/Jeans", "CLOTHING/Pants", "CLOTHING/Polo_Shirt",
    "CLOTHING/Summer_Wear", "CLOTHING/Tank_Top", "CLOTHING/T_Shirt",
    "DRESSES/Dress", "DRESSES/Lace_Dress", "DRESSES/Skirt", "DRESSES/Sleeveless_Dress", "DRESSES/Suspenders_Skirt",
    "TOPS/Blouse", "TOPS/Chiffon", "TOPS/Coat", "TOPS/Lace_Shirt", "TOPS/Summer_Wear", "TOPS/Tank_Top", "TOPS/T_Shirt",
    "TROUSERS/Leggings", "TROUSERS/Pants", "TROUSERS/Summer_Wear",
)  # fmt: skip

# Of Street2Shop.
STREET2SHOP = (
    "belts", "bags", "dresses", "eyewear", "footwear", "hats", "leggings", "outerwear", "pants", "skirts", "tops",
)  # fmt: skip
