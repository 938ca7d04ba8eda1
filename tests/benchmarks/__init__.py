"""The benchmark, `make bench`: measure this function and the baselines in one run.

subjects.py       the function and the baselines, and their environments
baselines/        naive, powertools, and floor, the lower bound of any implementation
batches.py        the batches and emails for all subjects
package.py        their packages, as they would be deployed
distributions.py  the distributions that pip installs for them, computed without network access
certificates.py   certificates for the run, and a bundle of realistic size
server.py         Cloudflare and AWS over TLS with realistic latency; answers.py has their responses
environment.py    a subject in a new process; stopwatch.py runs in that process
measure.py        interleaved rounds of measurements
imports.py        import times with and without byte code
figures.py        the measured figures; targets.py their limits
table.py          the tables; picture.py the picture (ratios.svg)
test_counts.py    the checks in CI: counts only, no times

Ratios within one run are comparable between machines; absolute times are not.
"""
