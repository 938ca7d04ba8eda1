"""The Lambda function: one batch of SQS messages in, one outcome for each of them out.

Read `batch.py` first; it tells the whole story. Then, in the order in which a message travels:

    main.py        what Lambda imports: reads the environment, builds everything, once
    app.py         the composition root: every client is built here, and the handler is put together
    settings.py    the environment, checked
    message.py     an SQS record, parsed once
    cases.py       a message on its way: what is known of it after each phase
    request.py     message -> request: which mail is meant            (schemas/request.schema.json)
    lookup.py      requests -> detections: Cloudflare is asked
    decision.py    detections -> decisions: pure, each with its record
    verdict.py     disposition -> escalate or not
    outbox.py      decisions -> alerts: claim, publish, mark
    alert.py       what is published
    publisher.py   the SNS topic
    settlement.py  outcomes -> their effects
    queue.py       the SQS queues: reject, send again, postpone
    outcome.py     the closed set of ways in which a message can end
    telemetry.py   one log line and one count for each outcome

`plain_text.py` makes text from mail safe to show; `chunks.py` cuts lists to what one call to AWS takes.
"""
