"""Channels under storms: thousands of requests, processes that die, and a referee from outside."""
