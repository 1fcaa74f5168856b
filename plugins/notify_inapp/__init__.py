"""Notifications under the bell: what happened that somebody has to know, told to those who can do something about it."""
