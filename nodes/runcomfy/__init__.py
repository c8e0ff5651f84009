"""RunComfy's Model API, as its documentation and its own clients show it."""
