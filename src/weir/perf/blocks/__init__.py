"""Blocks of a language model, each as the operators it runs on one chip."""
