"""Ball arithmetic: potentials whose answers are proved enclosures, from exact input to the last digit."""
