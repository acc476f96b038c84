"""The parts of `benchmark.py`. Each measures one thing and returns it as JSON values; `benchmark.py` prints them."""
