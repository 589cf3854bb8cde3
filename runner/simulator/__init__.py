"""The provider protocols on loopback, strict and scripted. Knows nothing of the rest.

It judges this program in its tests, and it serves people alone: whoever writes a client of their
own for the OpenAI or Anthropic APIs can try it here, without a key, on a bad day.
"""
