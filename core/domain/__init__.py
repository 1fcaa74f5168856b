"""The words of order management: catalog, customers, inventory, orders, channels, fulfilment."""
