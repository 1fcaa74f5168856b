"""Pure building blocks without input or output: errors, clock, ids, money, quantity, conditions, expressions."""
