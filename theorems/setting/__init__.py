"""What more than one theorem rests on: the interpolant with its accuracy, sets of Jacobians."""
