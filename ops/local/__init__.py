"""The local stack: everything that the function meets in production, on this machine, over real HTTP.

    run.py         `make run`: sends everything through, shows what comes out, and checks it
    serve.py       `make local`: keeps the stack up, with the function behind its queue
    guide.py       what it prints; folder.py the files that it writes for another shell
    container.py   how a container reaches it
    template.py    template.yaml, as it deploys
    stack.py       the emulated AWS with the template's resources, and the stand-in Cloudflare
    runtime.py     a Lambda execution environment: a process that is given one event after the other
    poller.py      the event source mapping between the queue and the function
    consignment.py what is sent, and what each message must end as (expected.json)
    inbox.py       the alerts, as subscribers receive them
    proof.py       what came out against what had to
    inquiry.py     what an operator asks afterwards, with the command line
    show.py        all of it, for a person to read

The stand-in Cloudflare:

    mailbox.py     the mail that it knows (mailbox.json)
    cloudflare.py  its addresses; answers.py the bodies, search.py the search, admission.py the credentials,
                   limiter.py the rate limit, wire.py the HTTP server
"""
