"""The Lambda function: one batch of SQS messages in, one outcome for each of them out.

Read `batch.py` first; it tells the whole story. Then, in the order in which a message travels:

    main.py        what Lambda imports: reads the environment, builds everything, once
    app.py         the composition root: every client is built here, and the handler is put together
    settings.py    the environment, checked
    message.py     an SQS record, parsed once
    cases.py       a message on its way: what is known of it after each phase
    request.py     message -> request: which mail is meant            (schemas/request.schema.json)
    lookup.py      requests -> detections, escalations -> their context: Cloudflare is asked
    decision.py    detections -> decisions: pure, each with its record
    verdict.py     disposition -> escalate or not
    severity.py    how urgent it is
    outbox.py      decisions -> alerts: recall, claim, publish, mark
    publisher.py   the SNS topic; form.py encodes what it is sent
    settlement.py  outcomes -> their effects
    queue.py       the SQS queues: reject, send again, postpone
    outcome.py     the closed set of ways in which a message can end
    telemetry.py   one log line and one count for each outcome

`chunks.py` cuts lists to what one call to AWS takes. What is published stands in functions/alert/.
"""
