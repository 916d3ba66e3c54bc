"""Fashion200K (Han et al., ICCV 2017): some 200,000 shop photos of clothes, several views of a product."""
