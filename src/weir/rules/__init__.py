"""The law: arrays in, three-valued answers out; no threshold is written here."""
