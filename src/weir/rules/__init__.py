"""The law: arrays in, three-valued answers out."""
