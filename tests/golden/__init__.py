"""What is published about each file in events/, to the letter: `<event>.txt` for people, `<event>.json` for machines.

`make golden` writes them anew. Whoever does that reads the difference before it is committed: it is what people will be
woken by. test_golden.py holds them against the code.
"""
