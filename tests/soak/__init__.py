"""Mixed load with `kill -9` in it, and then the question whether everything that was ever acknowledged is there, once.

`python -m tests.soak --seconds 60 [--seed N] [--rounds N] [--keep]`. The seed decides what is called and what is killed
when; where a call is when its server dies, chance decides.
"""
