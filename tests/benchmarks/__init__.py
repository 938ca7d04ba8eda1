"""The benchmark, `make bench`: this function beside what a user would write, measured in one run.

subjects.py       who is measured, and what each finds in its environment
peers/            the others: naive, powertools, and the floor below which nobody comes
batches.py        the batches and mails that all of them are given
package.py        their packages, as they would be deployed
distributions.py  what pip installs for them, worked out without a network
authority.py      certificates for the run, and a bundle of real size
server.py         Cloudflare and AWS over TLS, as far away as they are; answers.py is what they say
environment.py    a subject in a fresh process; stopwatch.py is what runs there
measure.py        rounds, interleaved
imports.py        what byte code is worth
figures.py        what was measured; targets.py: what is to be reached
table.py          for a person; picture.py: for the README (ratios.svg)
test_counts.py    what CI holds to: counts, and never a time

Ratios within one run travel from machine to machine; absolute times do not.
"""
