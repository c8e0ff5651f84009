"""Measurements, not tests: `make bench` prints them and writes them to README.md beside this file."""
