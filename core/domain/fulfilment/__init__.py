"""How orders get out: the rule that drives them on, shipments, parcels and tracking numbers."""
