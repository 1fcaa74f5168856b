"""Taobao and Tmall shops through the Taobao Open Platform (TOP)."""
