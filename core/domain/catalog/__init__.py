"""What is sold: products, SKUs, kits, barcodes and the names that shops give to SKUs."""
