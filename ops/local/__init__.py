"""The local stack: everything that the function meets in production, on this machine, over real HTTP.

    run.py         `make run`: sends everything through, shows what comes out, and checks it
    serve.py       `make local`: keeps the stack up for another shell
    template.py    template.yaml, as it deploys
    stack.py       the emulated AWS with the template's resources
    runtime.py     a Lambda execution environment: a process that is given one event after the other
    poller.py      the event source mapping between the queue and the function
    expected.json  what each record of each file in events/ must end as

The stand-in Cloudflare:

    mailbox.py     the mail that it knows (mailbox.json)
    cloudflare.py  its addresses; answers.py the bodies, search.py the search, admission.py the credentials,
                   limiter.py the rate limit, wire.py the HTTP server
"""
