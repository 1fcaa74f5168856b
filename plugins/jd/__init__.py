"""JD.com shops of third-party sellers (POP) through JOS, JD's open gateway: orders, refunds, shipments, stock and SKUs."""
