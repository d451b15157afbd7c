"""What if: a period's real usage replayed under other plans, rates, costs or models (docs/adr/0014).

`scenario.py` says what is asked, `rules.py` what it makes of each kind of call, `start.py` how a customer stood at the
start, `walk.py` goes through the calls, `outcome.py` sums up. Pure, all of it; `margins/queries/replay.py` reads.
"""
