"""Fitting the kernel model to measured times, and measuring how good the fit is."""
