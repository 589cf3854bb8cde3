"""The batch services: OpenAI's Files and Batches, Anthropic's Message Batches.

A batch is worked through as the clock goes, but only when somebody looks: what is due by then is
done first. Rows are answered by the code that answers live requests.
"""
