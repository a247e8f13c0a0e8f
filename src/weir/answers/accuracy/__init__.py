"""How right the numbers are: fits to measurements, and predictions beside measured values."""
