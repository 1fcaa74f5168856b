"""Outgoing webhooks: other programs are told what happens here, signed, in order, with retries and a log."""
