"""The mathematics of OT-CFM as a library: schedules, potentials, proximal maps, transport, flows."""
