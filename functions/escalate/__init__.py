"""The Lambda function: one batch of SQS messages in, one outcome for each of them out.

Read `batch.py` first; it tells the whole story. Then, in the order in which a message travels:

    main.py        what Lambda imports: reads the environment, builds everything, once
    app.py         the composition root: every client is built here, and the handler is put together
    settings.py    the environment, checked
    message.py     an SQS record, parsed once
    request.py     message -> request: which mail is meant            (schemas/request.schema.json)
    verdict.py     disposition -> escalate or not
    alert.py       verdict -> what is published
    publisher.py   the SNS topic
    queue.py       the SQS queues: reject, send back later, try again
    outcome.py     the closed set of ways in which a message can end
    telemetry.py   one log line and one count for each outcome
"""
