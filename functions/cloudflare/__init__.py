"""The client for Cloudflare's Email Security API.

client.py        the investigate endpoints: detections, message details, and the search by a shorter id
credentials.py   the API credentials from the secret: cached, and read again after a refusal
rate_limiter.py  the pace of requests, and the pause while Cloudflare blocks the token (429)
transport.py     one GET request, with a total timeout and a limit on the body's size
response.py      from status, headers and body to a result or an error
contract.py      validation against schemas/detection.schema.json, and the report of drift
errors.py        the error tree: each leaf decides what happens to the message
"""
