"""Publish alerts by hand, and say who gets them.

filter_policy.py  whether the filter policy of a subscription lets a message pass
subscriptions.py  the subscriptions of a topic
sample.py         records about an email that does not exist: for a test, and of each kind
publish.py        publish one alert to the topics of a stack
"""
