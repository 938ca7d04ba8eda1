"""The local stack: emulated AWS, a fake Cloudflare and the function, on this machine, over real HTTP.

    run.py             `make run`: send all messages, print the results, and check them
    serve.py           `make local`: keep the stack up, with the function polling its queue
    guide.py           the instructions that `make local` prints
    folder.py          the files that `make local` writes for other shells
    container.py       how a container reaches the stack
    template.py        template.yaml, translated for deployment
    stack.py           the emulated AWS with the template's resources, and the fake Cloudflare
    lambda_runtime.py  a Lambda execution environment in its own process
    poller.py          the event source mapping between the queue and the function
    scenarios.py       the messages to send, and the expected outcome of each (expected.json)
    subscriber.py      the alerts, as subscribers receive them
    verify.py          compare the results with the expected ones
    cli_checks.py      run the command line on the table that the run filled
    render.py          print the results

fake_cloudflare/ serves Cloudflare's API:

    server.py          routes and calls
    mailbox.py         the emails that it has (mailbox.json)
    responses.py       response bodies
    search.py          the search endpoint
    auth.py            credentials
    rate_limit.py      the rate limit
    http_server.py     the HTTP server
"""
