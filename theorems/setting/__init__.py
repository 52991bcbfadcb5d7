"""What more than one theorem rests on, and how a check is written.

A check says what it holds for with `theorems.setting.quantifiers.for_all`, once::

    from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, for_all

    @for_all("P2", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
    def test_prox_returns_the_data_point(evidence, target, schedule, t, seed):
        at = Interpolant.drawn(target, schedule, t, 400, generator(seed))
        evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
            "|prox_{λφ}(x_t/β) − x₁|", norm(at.solved.point - at.x1), at.of_recovery, because="…"
        )

That is the random test, an example of every family, and the audit of a user's target at once; it sets the
mark of the claim, too. Narrower statements say ``target=WITH_A_MANIFOLD``, ``TARGETS.among(suits, why)`` or
``TIMES.but(usual=0.9)``; a variable of their own is ``Values(strategy, usual, grid)``. A check that must not
be asked of a user's points says why: ``unasked="…"``. Its folder has a ``test_user_target.py``::

    @pytest.mark.parametrize(("claim", "check"), asked_in(__package__))
    def test_the_claims_on_this_target(evidence, user_target, claim, check):
        ask(evidence.auditing(user_target.name, claim), check, potential(user_target))

Rooms: `quantifiers`, `values` (what checks range over), `families`, `grammar`, `draws` (how it is drawn),
`instances` (what is always met), `audits`, `user` (what users hand in), and what checks compute with:
`interpolant`, `vectors`, `roundings`, `clarke`.
"""
