"""Demo data: goods for two shops and a week of real sales history."""
