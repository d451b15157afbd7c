"""The catalogue as code: a YAML file that says what is sold, compared with and applied to the database.

`spec` is the file's form, `reading` and `writing` are YAML, `stored` is the database in the same
form, `changes` compares the two (pure), `applying` writes. Commands: plans/management/commands.
"""
