"""RunComfy's Model API: request and reply types, the wire, its errors, the token.

Source: the model's API page, and RunComfy's documentation of the queue endpoints and error codes.
"""
