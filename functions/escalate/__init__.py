"""The Lambda function: a batch of SQS messages becomes alerts, records and one outcome per message.

Start with `pipeline.py`. The other modules, in the order in which a message passes through them:

    handler.py      what Lambda imports: reads the settings and builds everything once, during init
    app.py          the composition root: all clients, and the handler
    settings.py     the settings: environment variables, validated
    sqs_message.py  SQS record -> message
    stages.py       the types between the stages of the pipeline
    request.py      message -> request: the id of an email (schemas/request.schema.json)
    investigate.py  requests -> detections, escalations -> message details: the calls to Cloudflare
    decision.py     detections -> decisions: pure functions, each decision with its record
    notify.py       decisions -> alerts: previous alerts, claim, publish, mark
    topic.py        the SNS topic and its attributes; form_encoding.py encodes the requests to SNS
    finish.py       outcomes -> effects: records without an alert, queue calls
    retries.py      backoff, the last receive, the three-day limit
    queues.py       the SQS queues: delay, requeue, dead-letter
    telemetry.py    one log line and one metric for each outcome

The content of an alert is in functions/alert/, the severity in functions/domain/severity.py.
"""
