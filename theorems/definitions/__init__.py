"""Definitions A.1 and A.2: prox-boundedness and prox-regularity, what they exclude and what follows."""
