"""Answers to text, Markdown, JSON and HTML; formats, never computes."""
