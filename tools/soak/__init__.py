"""Hours of trouble in minutes: a real ComfyUI under random graphs, Stops, faults and restarts (`make soak`)."""
