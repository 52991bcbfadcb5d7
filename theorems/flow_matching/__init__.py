"""The ground of flow matching: changes of variables, conditional paths, losses, sampling, guidance."""
