"""Theorem 3: terminal normal hyperbolicity: the flow contracts normal to the support, and only there."""
