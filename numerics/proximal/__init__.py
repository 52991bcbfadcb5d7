"""The same prox by independent routes, and certificates that bound its error."""
