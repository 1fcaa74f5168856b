"""What is there: warehouses, the stock ledger and reservations. Knows no order: a reservation names its owner by key."""
